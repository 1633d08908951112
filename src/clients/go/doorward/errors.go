package doorward

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	doorwardv1 "doorward.dev/go/doorward/v1"
)

// ConfigError says that the client was set up in a way that cannot work. Nothing was sent.
type ConfigError struct{ message string }

func (e *ConfigError) Error() string { return "doorward: " + e.message }

func configError(message string) error { return &ConfigError{message} }

// Error is a call that failed. Its text is one line and never holds a token. It also serves as the gRPC status
// that it was made of: status.Code(err) and status.FromError(err) work.
type Error struct {
	// Code is how it failed.
	Code codes.Code
	// Reason is the name of a value of doorwardv1.ErrorReason; empty when the error did not come from Doorward.
	Reason string
	// Metadata is what the comment of that value says, such as app_id.
	Metadata map[string]string
	// FieldViolations are the fields that break a rule.
	FieldViolations []FieldViolation
	// RequestID is the id under which the server's log and audit have the call; empty when no answer came.
	RequestID string
	// RetryAfter is when the server asks to try again. Zero: it does not.
	RetryAfter time.Duration

	message string
	status  *status.Status
}

// FieldViolation is one field that breaks a rule.
type FieldViolation struct {
	// Field is the field's path in the request, such as app.labels.
	Field string
	// Description is the rule, and how the value breaks it.
	Description string
}

func (e *Error) Error() string { return "doorward: " + e.message }

// GRPCStatus makes the functions of package status understand the error.
func (e *Error) GRPCStatus() *status.Status { return e.status }

// AppGaveUp says that an app that was waited for has failed, or is going, and will not reach the state.
type AppGaveUp struct {
	AppID string
	// Status is the last one seen.
	Status *doorwardv1.AppStatus
	// Wanted is the state that was waited for.
	Wanted doorwardv1.AppState
}

func (e *AppGaveUp) Error() string { return "doorward: " + notReached(e.AppID, e.Status, e.Wanted) }

// SecretLost says that a token was created by an earlier request, whose answer alone had the secret.
// Regenerate the token to have a new one.
type SecretLost struct{ TokenID string }

func (e *SecretLost) Error() string {
	return fmt.Sprintf("doorward: token %s was created by an earlier request, whose answer alone had the "+
		"secret: regenerate it to have a new one", e.TokenID)
}

const requestIDKey = "doorward-request-id"

// newError answers the error of a failed call to the api at address.
func newError(err error, address string, header, trailer metadata.MD) *Error {
	failed := &Error{status: status.Convert(err)}
	failed.Code = failed.status.Code()
	for _, detail := range failed.status.Details() {
		switch said := detail.(type) {
		case *errdetails.ErrorInfo:
			failed.Reason, failed.Metadata = said.GetReason(), said.GetMetadata()
		case *errdetails.BadRequest:
			for _, each := range said.GetFieldViolations() {
				failed.FieldViolations = append(
					failed.FieldViolations, FieldViolation{each.GetField(), each.GetDescription()})
			}
		case *errdetails.RetryInfo:
			failed.RetryAfter = max(said.GetRetryDelay().AsDuration(), 0)
		}
	}
	for _, each := range append(header.Get(requestIDKey), trailer.Get(requestIDKey)...) {
		failed.RequestID = oneLine(each)
	}
	failed.message = failed.describe(address)
	return failed
}

// describe answers the text: what the server says, or which server it was that said nothing.
func (e *Error) describe(address string) string {
	if len(e.FieldViolations) > 0 {
		var rules []string
		for _, each := range e.FieldViolations {
			rules = append(rules, each.Field+": "+each.Description)
		}
		return oneLine(strings.Join(rules, "; "))
	}
	text := oneLine(e.status.Message())
	switch {
	case e.Reason != "":
		return text
	case e.Code == codes.Unavailable:
		return fmt.Sprintf("the api at %s cannot be reached: %s", address, text)
	case e.Code == codes.DeadlineExceeded:
		return fmt.Sprintf("the api at %s did not answer in time", address)
	case text == "":
		return fmt.Sprintf("the api at %s answered %s and no reason", address, e.Code)
	}
	return text
}

// oneLine escapes all that could move a terminal's cursor or turn its text.
func oneLine(text string) string {
	var line strings.Builder
	for _, r := range strings.TrimSpace(text) {
		if unicode.IsPrint(r) {
			line.WriteRune(r)
		} else {
			fmt.Fprintf(&line, `\u%04x`, r)
		}
	}
	return line.String()
}
