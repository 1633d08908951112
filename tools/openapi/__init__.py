"""Makes the OpenAPI document of the REST API from protos/."""
