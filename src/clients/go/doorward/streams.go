package doorward

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"
)

// observedStream is a stream whose errors are the client's. Until its first answer it is repeated as other calls
// are; then an error is the caller's, who alone knows whether to begin anew.
type observedStream struct {
	grpc.ClientStream // the attempt of now

	ctx      context.Context
	address  string
	open     func() (grpc.ClientStream, error)
	repeats  repeats
	request  any
	answered bool
}

// begin makes an attempt, or several.
func (s *observedStream) begin() error {
	for {
		stream, err := s.open()
		if err == nil {
			s.ClientStream = stream
			return nil
		}
		failed := newError(err, s.address, nil, nil)
		if !s.repeats.pauseAfter(s.ctx, failed) {
			return failed
		}
	}
}

// SendMsg keeps the request, of which a stream that may be repeated has one.
func (s *observedStream) SendMsg(message any) error {
	s.request = message
	return s.ClientStream.SendMsg(message)
}

// RecvMsg answers io.EOF at the end, as every stream does.
func (s *observedStream) RecvMsg(message any) error {
	for {
		err := s.ClientStream.RecvMsg(message)
		if err == nil {
			s.answered = true
			return nil
		}
		if errors.Is(err, io.EOF) {
			return err
		}
		header, _ := s.Header() // of a stream that has failed: there at once, if ever
		failed := newError(err, s.address, header, s.Trailer())
		if s.answered || !s.repeats.pauseAfter(s.ctx, failed) {
			return failed
		}
		if err := s.begin(); err != nil {
			return err
		}
		// What goes wrong with these two, RecvMsg says.
		_ = s.ClientStream.SendMsg(s.request)
		_ = s.CloseSend()
	}
}
