package doorward

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// What is not repeated are the calls that do something else each time.
func TestOnlyTwoCallsAreNeverRepeated(t *testing.T) {
	never := maps.Keys(maps.Collect(func(yield func(string, bool) bool) {
		for name, method := range methods {
			if !method.repeatable && !yield(name, true) {
				return
			}
		}
	}))
	want := []string{"/doorward.v1.SessionService/CreateSession", "/doorward.v1.TokenService/RegenerateToken"}
	if got := slices.Sorted(never); !slices.Equal(got, want) {
		t.Errorf("never repeated: %v, want %v", got, want)
	}
}

// Printing a configuration, in whatever way, does not show its token.
func TestAConfigurationHidesItsToken(t *testing.T) {
	config := Config{Token: "dw_hidden"}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		for _, value := range []any{config, &config} {
			if text := fmt.Sprintf(format, value); strings.Contains(text, "hidden") {
				t.Errorf("%s shows %s", format, text)
			}
		}
	}
}

// A client that cannot work is refused before anything is sent.
func TestWhatCannotWorkIsAConfigError(t *testing.T) {
	for _, config := range []Config{
		{TLS: &TLS{CAFile: "there-is-no-such-file"}},
		{TLS: &TLS{CAFile: "client_test.go"}},
		{Timeout: -1},
		{EnforcementTimeout: -1},
	} {
		var refused *ConfigError
		if _, err := New("127.0.0.1:8081", config); !errors.As(err, &refused) {
			t.Errorf("%v: %v, want a ConfigError", config, err)
		}
	}
}

// The environment names the api, or the client says what is missing.
func TestFromEnv(t *testing.T) {
	t.Setenv("DOORWARD_ADDRESS", "")
	if _, err := FromEnv(); err == nil || !strings.Contains(err.Error(), "DOORWARD_ADDRESS") {
		t.Errorf("without an address: %v", err)
	}
	t.Setenv("DOORWARD_ADDRESS", "127.0.0.1:8081")
	t.Setenv("DOORWARD_CA_FILE", "there-is-no-such-file")
	if _, err := FromEnv(); err == nil || !strings.Contains(err.Error(), "there-is-no-such-file") {
		t.Errorf("with a CA file that is not there: %v", err)
	}
	t.Setenv("DOORWARD_CA_FILE", "")
	client, err := FromEnv()
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Close(); err != nil {
		t.Error(err)
	}
}

// A loop that is left asks for no further page, and the pages begin where they are told to.
func TestALoopThatIsLeftAsksNoMore(t *testing.T) {
	var asked []string
	list := items(func(pageToken string) ([]int, string, error) {
		asked = append(asked, pageToken)
		return []int{len(asked)}, fmt.Sprint("after-", len(asked)), nil
	}, "start")
	for item, err := range list {
		if err != nil {
			t.Fatal(err)
		}
		if item == 2 {
			break
		}
	}
	if want := []string{"start", "after-1"}; !slices.Equal(asked, want) {
		t.Errorf("asked for %v, want %v", asked, want)
	}
}

// An error ends the loop, after the items that came before it.
func TestAnErrorEndsTheLoop(t *testing.T) {
	failure := errors.New("no more")
	list := items(func(pageToken string) ([]int, string, error) {
		if pageToken != "" {
			return nil, "", failure
		}
		return []int{1, 2}, "next", nil
	}, "")
	var seen []int
	var last error
	for item, err := range list {
		if last = err; err == nil {
			seen = append(seen, item)
		}
	}
	if !slices.Equal(seen, []int{1, 2}) || !errors.Is(last, failure) {
		t.Errorf("seen %v, then %v", seen, last)
	}
}
