package doorward

import (
	"errors"
	"io"

	"google.golang.org/grpc"
)

// observedStream is a stream whose errors are the client's.
type observedStream struct {
	grpc.ClientStream

	address string
}

// RecvMsg answers io.EOF at the end, as every stream does.
func (s *observedStream) RecvMsg(message any) error {
	err := s.ClientStream.RecvMsg(message)
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	header, _ := s.Header() // of a stream that has failed: there at once, if ever
	return newError(err, s.address, header, s.Trailer())
}
