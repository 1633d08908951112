// Command driver makes the calls of a journey of tests/sdk, one JSON object a line.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"log"
	"os"
	"time"

	"doorward.dev/go/doorward"
)

// request is a line of the input.
type request struct {
	Do        string          `json:"do"`
	Client    clientSettings  `json:"client"`
	Request   json.RawMessage `json:"request"`
	Call      string          `json:"call"`
	All       string          `json:"all"`
	Open      string          `json:"open"`
	Wait      string          `json:"wait"`
	App       string          `json:"app"`
	Seconds   float64         `json:"seconds"`
	Encrypted string          `json:"encrypted"`
	TLS       bool            `json:"tls"`
	Insecure  bool            `json:"insecure"`
}

type clientSettings struct {
	Address    string  `json:"address"`
	Token      string  `json:"token"`
	Timeout    float64 `json:"timeout"`
	CAFile     string  `json:"ca_file"`
	ServerName string  `json:"server_name"`
}

// failure is the `error` of a line of the output.
type failure struct {
	Kind            string            `json:"kind"`
	Text            string            `json:"text"`
	Code            string            `json:"code,omitempty"`
	Reason          string            `json:"reason,omitempty"`
	Metadata        map[string]string `json:"metadata,omitempty"`
	FieldViolations []violation       `json:"fieldViolations,omitempty"`
	RequestID       string            `json:"requestId,omitempty"`
	RetryAfter      float64           `json:"retryAfter,omitempty"`
}

type violation struct {
	Field       string `json:"field"`
	Description string `json:"description"`
}

func main() {
	out := json.NewEncoder(os.Stdout)
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	driver := &driver{clients: map[clientSettings]*doorward.Client{}}
	for lines.Scan() {
		var asked request
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			log.Fatal(err)
		}
		answer, err := driver.do(asked)
		line := map[string]any{"answer": answer}
		if err != nil {
			line = map[string]any{"error": describe(err)}
		}
		if err := out.Encode(line); err != nil {
			log.Fatal(err)
		}
	}
}

func describe(err error) failure {
	var (
		failed *doorward.Error
		gaveUp *doorward.AppGaveUp
		lost   *doorward.SecretLost
		config *doorward.ConfigError
	)
	described := failure{Text: err.Error()}
	switch {
	case errors.As(err, &failed):
		described.Kind, described.Code = "Error", codeName(failed.Code)
		described.Reason, described.Metadata = failed.Reason, failed.Metadata
		for _, each := range failed.FieldViolations {
			described.FieldViolations = append(described.FieldViolations, violation(each))
		}
		described.RequestID = failed.RequestID
		described.RetryAfter = failed.RetryAfter.Seconds()
	case errors.As(err, &gaveUp):
		described.Kind = "AppGaveUp"
	case errors.As(err, &lost):
		described.Kind = "SecretLost"
	case errors.As(err, &config):
		described.Kind = "Configuration"
	default:
		log.Fatalf("not an error of the library: %T %v", err, err)
	}
	return described
}

func seconds(count float64) time.Duration {
	return time.Duration(count * float64(time.Second))
}
