package doorward

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

var (
	hostAndPort = regexp.MustCompile(`^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})$`)
	unixSocket  = regexp.MustCompile(`^unix:(?://)?([^\x00-\x20\x7f]+)$`)
)

// target is the address of an api, as gRPC takes it.
type target struct {
	uri string
	// local is whether what is sent there stays on this machine.
	local bool
}

// parseTarget reads host:port, [IPv6]:port or unix:/path.
//
// Only localhost and loopback addresses count as local. A name below .localhost does not: not every resolver
// keeps those on the machine (RFC 6761 §6.3 asks for it), and a token may ride on the answer.
func parseTarget(address string) (target, error) {
	if unix := unixSocket.FindStringSubmatch(address); unix != nil {
		return target{uri: "unix:" + unix[1], local: true}, nil
	}
	form := hostAndPort.FindStringSubmatch(address)
	if form == nil {
		return target{}, notAnAddress(address)
	}
	if port, err := strconv.Atoi(form[2]); err != nil || port < 1 || port > 65535 {
		return target{}, notAnAddress(address)
	}
	return target{uri: address, local: isLoopback(form[1])}, nil
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && address.IsLoopback()
}

func notAnAddress(address string) error {
	return configError(fmt.Sprintf("address %q: expected host:port, [IPv6]:port or unix:/path, no scheme", address))
}
