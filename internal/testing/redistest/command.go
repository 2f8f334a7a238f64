//go:build unix

package redistest

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Do executes a command on a new connection, and returns the answer, a string
// or number. It returns "" for a null answer.
func (s *Server) Do(command ...string) (string, error) {
	answer, err := s.ask(command)
	if err != nil {
		return "", err
	}
	text, ok := answer.(string)
	if !ok {
		return "", fmt.Errorf("%s: the answer is a list", command[0])
	}
	return text, nil
}

// List is like [Server.Do] for a command that answers with a list of strings.
func (s *Server) List(command ...string) ([]string, error) {
	answer, err := s.ask(command)
	if err != nil {
		return nil, err
	}
	list, ok := answer.([]any)
	if !ok {
		return nil, fmt.Errorf("%s: the answer is not a list", command[0])
	}
	texts := make([]string, len(list))
	for i, item := range list {
		if texts[i], ok = item.(string); !ok {
			return nil, fmt.Errorf("%s: the answer has lists in it", command[0])
		}
	}
	return texts, nil
}

func (s *Server) ask(command []string) (any, error) {
	conn, err := net.DialTimeout("tcp", s.Addr, patience)
	if err != nil {
		return nil, err
	}
	return converse(conn, command)
}

// askAt executes a command on the server with the URL, like [Server.ask].
func askAt(address string, command ...string) (any, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	var commands [][]string
	if password, ok := u.User.Password(); ok && u.User.Username() == "" {
		commands = append(commands, []string{"AUTH", password})
	} else if ok {
		commands = append(commands, []string{"AUTH", u.User.Username(), password})
	}
	if database := strings.Trim(u.Path, "/"); database != "" {
		commands = append(commands, []string{"SELECT", database})
	}
	dialer := &net.Dialer{Timeout: patience}
	var conn net.Conn
	if u.Scheme == "rediss" {
		conn, err = tls.DialWithDialer(dialer, "tcp", u.Host, nil)
	} else {
		conn, err = dialer.Dial("tcp", u.Host)
	}
	if err != nil {
		return nil, err
	}
	return converse(conn, append(commands, command)...)
}

// converse sends the commands in order, returns the last answer, and closes the
// connection.
func converse(conn net.Conn, commands ...[]string) (answer any, err error) {
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	answers := bufio.NewReader(conn)
	for _, command := range commands {
		var b strings.Builder
		fmt.Fprintf(&b, "*%d\r\n", len(command))
		for _, word := range command {
			fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(word), word)
		}
		if _, err := io.WriteString(conn, b.String()); err != nil {
			return nil, err
		}
		if answer, err = readAnswer(answers); err != nil {
			return nil, err
		}
	}
	return answer, nil
}

// readAnswer parses a value of RESP2: a string, or a []any of values.
func readAnswer(r *bufio.Reader) (any, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return nil, err
	}
	line = strings.TrimSuffix(line, "\r\n")
	if line == "" {
		return nil, errors.New("the server sends an empty line")
	}
	kind, rest := line[0], line[1:]
	switch kind {
	case '+', ':':
		return rest, nil
	case '-':
		return nil, errors.New(rest)
	}
	n, err := strconv.Atoi(rest)
	if err != nil {
		return nil, fmt.Errorf("the server sends %q: %w", line, err)
	}
	switch {
	case kind == '$' && n < 0:
		return "", nil
	case kind == '$':
		text := make([]byte, n+2)
		_, err := io.ReadFull(r, text)
		return string(text[:n]), err
	case kind != '*':
		return nil, fmt.Errorf("the server sends %q", line)
	}
	list := []any{}
	for range n {
		item, err := readAnswer(r)
		if err != nil {
			return nil, err
		}
		list = append(list, item)
	}
	return list, nil
}
