package ring

import "testing"

func TestOrder(t *testing.T)  {}
func TestBounds(t *testing.T) {}
