// Package redact prints messages without the fields that protos/ marks as secrets (debug_redact).
//
// Go's own runtime prints those fields as it does any other. The messages that have one, or one in a message
// within them, are printed by this package instead: tools/protoc_gen_go.py sees to that.
package redact

import (
	"fmt"
	"log/slog"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// hidden is what is printed in place of a secret.
const hidden = "[REDACTED]"

// String answers a message in the text format. It is for people alone: nothing can read it back.
func String(message proto.Message) string {
	shown := proto.Clone(message)
	hide(shown.ProtoReflect())
	return prototext.MarshalOptions{}.Format(shown)
}

// GoString answers what %#v prints.
func GoString(message proto.Message) string {
	return fmt.Sprintf("&%s{%s}", message.ProtoReflect().Descriptor().Name(), String(message))
}

// LogValue answers what log/slog writes, in whatever format.
func LogValue(message proto.Message) slog.Value {
	return slog.StringValue(String(message))
}

func hide(message protoreflect.Message) {
	message.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case isSecret(field):
			replace(message, field, value)
		case field.IsMap():
			if field.MapValue().Message() != nil {
				value.Map().Range(func(_ protoreflect.MapKey, each protoreflect.Value) bool {
					hide(each.Message())
					return true
				})
			}
		case field.Message() == nil:
		case field.IsList():
			for i := range value.List().Len() {
				hide(value.List().Get(i).Message())
			}
		default:
			hide(value.Message())
		}
		return true
	})
}

func isSecret(field protoreflect.FieldDescriptor) bool {
	options, ok := field.Options().(*descriptorpb.FieldOptions)
	return ok && options.GetDebugRedact()
}

// replace leaves a sign that there was a secret, where the field has room for one. The keys of a map stay.
func replace(message protoreflect.Message, field protoreflect.FieldDescriptor, value protoreflect.Value) {
	sign := protoreflect.ValueOfString(hidden)
	switch {
	case field.IsMap() && field.MapValue().Kind() == protoreflect.StringKind:
		value.Map().Range(func(key protoreflect.MapKey, _ protoreflect.Value) bool {
			value.Map().Set(key, sign)
			return true
		})
	case field.Kind() == protoreflect.StringKind && !field.IsList():
		message.Set(field, sign)
	default:
		message.Clear(field)
	}
}
