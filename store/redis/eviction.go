package redis

import (
	"context"
	"fmt"
	"strings"

	"github.com/redis/rueidis"

	"github.com/onezone-go/onezone/errors"
)

// policyNoEviction is the policy of a server that rejects writes when its
// memory is full.
const policyNoEviction = "noeviction"

// checkEviction returns an error if a server may evict keys or does not report
// whether it may. It asks every server of a Cluster, including replicas,
// because they may become masters. A server that does not answer is ignored if
// another answers.
func (s *Store) checkEviction(ctx context.Context) error {
	if s.o.AllowEviction || s.noEviction.Load() {
		return nil
	}
	nodes := map[string]rueidis.Client{"": s.client}
	if s.isCluster() {
		nodes = s.client.Nodes()
	}
	answered := false
	var unanswered error
	for _, node := range nodes {
		switch refused, err := mayEvict(ctx, node); {
		case refused != nil:
			return refused
		case err != nil:
			unanswered = err
		default:
			answered = true
		}
	}
	if !answered {
		return errors.Join(unanswered, ctx.Err())
	}
	s.noEviction.Store(true)
	return nil
}

// mayEvict returns a refusal if the server may evict keys or does not report
// its policy. It returns an error if the server does not answer.
func mayEvict(ctx context.Context, node rueidis.Client) (refused, err error) {
	const remedy = "set Options.AllowEviction and accept the loss of tokens and revocations"
	info, err := node.Do(ctx, node.B().Info().Section("memory").Build().Pin()).ToString()
	if e, ok := rueidis.IsRedisErr(err); ok {
		return fmt.Errorf("the server does not report whether it evicts keys (INFO memory: %w): "+
			"allow the command INFO and set maxmemory-policy to %s, or %s", e, policyNoEviction, remedy), nil
	}
	if err != nil {
		return nil, err
	}
	limit, policy := infoField(info, "maxmemory"), infoField(info, "maxmemory_policy")
	switch {
	case policy == policyNoEviction, limit == "0":
		return nil, nil
	case policy == "" || limit == "":
		return fmt.Errorf("the server does not report whether it evicts keys: INFO memory has no maxmemory or "+
			"maxmemory_policy: set maxmemory-policy to %s and use a server that reports it, or %s", policyNoEviction, remedy), nil
	}
	return fmt.Errorf("the server evicts keys when it is full: maxmemory-policy is %s and maxmemory %s: "+
		"set maxmemory-policy to %s, or %s", policy, limit, policyNoEviction, remedy), nil
}

// infoField returns the value of a field in the result of INFO, or "".
func infoField(info, name string) string {
	for line := range strings.Lines(info) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), name+":"); ok {
			return value
		}
	}
	return ""
}
