package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"reflect"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"doorward.dev/go/doorward"
	doorwardv1 "doorward.dev/go/doorward/v1"
)

type driver struct {
	clients map[clientSettings]*doorward.Client
	stream  reflect.Value
	leave   context.CancelFunc
}

func (d *driver) do(asked request) (any, error) {
	switch asked.Do {
	case "encrypted":
		return encrypted(asked)
	case "next":
		return d.next()
	case "close":
		d.leave()
		return nil, nil
	}
	client, err := d.client(asked.Client)
	if err != nil {
		return nil, err
	}
	switch asked.Do {
	case "call":
		return answered(invoke(context.Background(), client, asked.Call, asked.Request))
	case "open":
		ctx, cancel := context.WithCancel(context.Background())
		d.leave = cancel
		d.stream, err = invoke(ctx, client, asked.Open, asked.Request)
		return nil, err
	case "all":
		return d.all(client, asked)
	case "wait":
		ctx := context.Background()
		if asked.Seconds > 0 {
			limited, cancel := context.WithTimeout(ctx, seconds(asked.Seconds))
			defer cancel()
			ctx = limited
		}
		state := doorwardv1.AppState(doorwardv1.AppState_value[asked.Wait])
		status, err := client.Apps.Wait(ctx, asked.App, state)
		return answered(reflect.ValueOf(status), err)
	}
	panic("no such thing to do: " + asked.Do)
}

func encrypted(asked request) (any, error) {
	config := doorward.Config{Insecure: asked.Insecure}
	if asked.TLS {
		config.TLS = &doorward.TLS{}
	}
	client, err := doorward.New(asked.Encrypted, config)
	if err != nil {
		return nil, err
	}
	return client.Encrypted(), client.Close()
}

func (d *driver) client(settings clientSettings) (*doorward.Client, error) {
	if made, known := d.clients[settings]; known {
		return made, nil
	}
	config := doorward.Config{Token: settings.Token, Timeout: seconds(settings.Timeout)}
	if settings.CAFile != "" {
		config.TLS = &doorward.TLS{CAFile: settings.CAFile, ServerName: settings.ServerName}
	}
	made, err := doorward.New(settings.Address, config)
	if err != nil {
		return nil, err
	}
	d.clients[settings] = made
	return made, nil
}

func (d *driver) next() (any, error) {
	received := d.stream.MethodByName("Recv").Call(nil)
	if err, failed := received[1].Interface().(error); failed {
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		return nil, err
	}
	return answered(received[0], nil)
}

func (d *driver) all(client *doorward.Client, asked request) (any, error) {
	ctx := context.Background()
	switch asked.All {
	case "ListApps":
		return collect(client.Apps.All(ctx, read(asked.Request, &doorwardv1.ListAppsRequest{})))
	case "ListTokens":
		return collect(client.Tokens.All(ctx, read(asked.Request, &doorwardv1.ListTokensRequest{})))
	case "PreviewSelector":
		return collect(client.Tokens.AllMatching(ctx, read(asked.Request, &doorwardv1.PreviewSelectorRequest{})))
	case "ListAuditEvents":
		return collect(client.Audit.All(ctx, read(asked.Request, &doorwardv1.ListAuditEventsRequest{})))
	}
	panic("no such list: " + asked.All)
}

func collect[T proto.Message](items iter.Seq2[T, error]) (any, error) {
	all := []json.RawMessage{}
	for item, err := range items {
		if err != nil {
			return nil, err
		}
		text, err := protojson.Marshal(item)
		if err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return all, nil
}

// invoke calls the method of the client that has the RPC's name.
func invoke(
	ctx context.Context, client *doorward.Client, rpc string, text json.RawMessage,
) (reflect.Value, error) {
	for _, service := range []any{client.Apps, client.Tokens, client.Sessions, client.Audit, client.Replicas} {
		method := reflect.ValueOf(service).MethodByName(rpc)
		if !method.IsValid() {
			continue
		}
		request, ok := reflect.New(method.Type().In(1).Elem()).Interface().(proto.Message)
		if !ok {
			panic(rpc + " takes no message")
		}
		answers := method.Call([]reflect.Value{reflect.ValueOf(ctx), reflect.ValueOf(read(text, request))})
		err, _ := answers[1].Interface().(error)
		return answers[0], err
	}
	panic("no such RPC: " + rpc)
}

func read[T proto.Message](text json.RawMessage, into T) T {
	if len(text) > 0 && string(text) != "null" {
		if err := protojson.Unmarshal(text, into); err != nil {
			panic(fmt.Sprintf("%s: %v", text, err))
		}
	}
	return into
}

func answered(answer reflect.Value, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	message, ok := answer.Interface().(proto.Message)
	if !ok {
		panic("not a message")
	}
	text, err := protojson.Marshal(message)
	return json.RawMessage(text), err
}

// codeName answers a code's name as gRPC writes it, such as NOT_FOUND.
func codeName(code codes.Code) string {
	var name strings.Builder
	for i, letter := range code.String() {
		if i > 0 && letter >= 'A' && letter <= 'Z' {
			name.WriteByte('_')
		}
		name.WriteRune(letter)
	}
	return strings.ToUpper(name.String())
}
