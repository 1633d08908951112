"""gRPC servicers and interceptors: they translate, and never decide."""
