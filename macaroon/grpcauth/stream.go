package grpcauth

import (
	"context"
	"sync/atomic"

	"google.golang.org/grpc"
)

// stream is a stream whose messages are authorized one by one if the resource
// depends on them.
type stream struct {
	grpc.ServerStream
	ctx         context.Context
	call        call
	interceptor *Interceptor
	received    atomic.Bool           // an authorized message
	refusal     atomic.Pointer[error] // of the first message that was refused
}

// Context returns the context with the client.
func (s *stream) Context() context.Context { return s.ctx }

// RecvMsg receives a message and authorizes it. After it has refused one, the
// stream receives and sends nothing.
func (s *stream) RecvMsg(m any) error {
	if refusal := s.refusal.Load(); refusal != nil {
		return *refusal
	}
	if err := s.ServerStream.RecvMsg(m); err != nil {
		return err
	}
	if len(s.call.rule.fields) == 0 {
		return nil
	}
	if err := s.interceptor.authorize(s.ctx, s.call, m); err != nil {
		s.refusal.CompareAndSwap(nil, &err)
		return err
	}
	s.received.Store(true)
	return nil
}

// SendMsg sends a message, unless nothing says yet what the call is about.
func (s *stream) SendMsg(m any) error {
	if refusal := s.refusal.Load(); refusal != nil {
		return *refusal
	}
	if len(s.call.rule.fields) > 0 && !s.received.Load() {
		return s.interceptor.internal(s.ctx, "a handler sends before it has received the message that it is about", "method", s.call.method)
	}
	return s.ServerStream.SendMsg(m)
}
