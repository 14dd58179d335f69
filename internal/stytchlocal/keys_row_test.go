package stytchlocal

import (
	"encoding/json"
	"testing"
	"time"
)

// All keys are in one row, and MySQL limits its value to 65,535 bytes.
func TestRotate_RefusedBeforeTheRowIsFull(t *testing.T) {
	t.Parallel()
	value, err := newProject()
	if err != nil {
		t.Fatal(err)
	}
	p, err := parseProject(value)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for range 60 { // a key each day
		if err := p.rotate(p.signingKey, now.UnixMicro(), false); err != nil {
			t.Fatalf("on %v: %v", now, err)
		}
		now = now.Add(24 * time.Hour)
	}
	for err = nil; err == nil && len(p.Retired) < 100; { // and then at once
		err = p.rotate(p.signingKey, now.UnixMicro(), false)
	}
	row, _ := json.Marshal(p)
	if err == nil || len(row) > 65535 {
		t.Errorf("%d keys are in a row of %d bytes: %v", len(p.Retired)+1, len(row), err)
	}
	if err := p.rotate(p.signingKey, now.UnixMicro(), true); err != nil || len(p.Retired) != 0 {
		t.Errorf("%d keys are left, %v", len(p.Retired), err)
	}
}

// An old key keeps only its public half, so that a leaked backup can't be used to sign.
func TestRotate_DeletesPrivateHalves(t *testing.T) {
	t.Parallel()
	value, err := newProject()
	if err != nil {
		t.Fatal(err)
	}
	p, err := parseProject(value)
	if err != nil {
		t.Fatal(err)
	}
	first := p.public
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for range 3 {
		if err := p.rotate(p.signingKey, now.UnixMicro(), false); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Hour)
	}
	row, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	read, err := parseProject(string(row))
	if err != nil {
		t.Fatal(err)
	}
	for i, k := range read.keyRing() {
		if signs := i <= 1; signs != (k.key != nil) || signs != (len(k.SigningKey) > 0) || !k.public.Equal(first) {
			t.Errorf("key %d of %d: its private half is there: %v", i, len(read.keyRing()), k.key != nil)
		}
	}
}
