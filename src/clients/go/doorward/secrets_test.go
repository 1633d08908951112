package doorward

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"log/slog"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	doorwardv1 "doorward.dev/go/doorward/v1"
)

// secretive answers one message of each kind that has a secret, or one within it; each secret says "hidden".
func secretive() []proto.Message {
	process := &doorwardv1.ProcessSource{Command: []string{"serve"}, Env: map[string]string{"KEY": "hidden"}}
	app := &doorwardv1.App{
		DisplayName: "shown",
		Spec:        &doorwardv1.AppSpec{Source: &doorwardv1.AppSpec_Process{Process: process}},
	}
	token := &doorwardv1.Token{DisplayName: "shown"}
	return []proto.Message{
		&doorwardv1.CreateTokenResponse{Token: token, Secret: "dw_hidden"},
		&doorwardv1.RegenerateTokenResponse{Token: token, Secret: "dw_hidden"},
		&doorwardv1.CreateSessionResponse{Session: &doorwardv1.Session{Host: "shown"}, Credential: "hidden"},
		app,
		&doorwardv1.CreateAppRequest{App: app},
		&doorwardv1.UpdateAppRequest{App: app},
		&doorwardv1.ListAppsResponse{Apps: []*doorwardv1.App{app}},
	}
}

// A message that is printed or logged, in whatever way, does not show its secret, and is itself unchanged.
func TestAMessageHidesItsSecret(t *testing.T) {
	for _, message := range secretive() {
		before := proto.Clone(message)
		var written bytes.Buffer
		fmt.Fprintf(&written, "%v\n%+v\n%#v\n%s\n", message, message, message, message)
		fmt.Fprintf(&written, "%v %v %+v\n", message.(fmt.Stringer).String(), []any{message}, struct{ M any }{message})
		log.New(&written, "", 0).Println(message)
		slog.New(slog.NewJSONHandler(&written, nil)).Info("answered", "message", message)
		slog.New(slog.NewTextHandler(&written, nil)).Info("answered", "message", message)
		text := written.String()
		if strings.Contains(text, "hidden") || !strings.Contains(text, "shown") {
			t.Errorf("printed as %s", text)
		}
		if !proto.Equal(message, before) {
			t.Errorf("%T was changed by being printed", message)
		}
		if wire, err := protojson.Marshal(message); err != nil || !json.Valid(wire) ||
			!strings.Contains(string(wire), "hidden") {
			t.Errorf("%T is sent without its secret: %s %v", message, wire, err)
		}
	}
	if text := (*doorwardv1.CreateTokenResponse)(nil).String(); text != "<nil>" {
		t.Errorf("no message is printed as %q", text)
	}
}
