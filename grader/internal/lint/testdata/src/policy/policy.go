package policy

import (
	. "fmt"
	clock "time"

	"math/rand"
	v2 "math/rand/v2"
	"net/url"
	"sync"
)

func calls() {
	clock.Sleep(1)      // want `time\.Sleep is forbidden in this exercise`
	wait := clock.Sleep // want `time\.Sleep is forbidden`
	wait(clock.Second)
	Sprint() // want `fmt\.Sprint is forbidden`
	var group sync.WaitGroup
	group.Go(nil) // want `sync\.WaitGroup\.Go is forbidden`
	group.Wait()
	_ = rand.Int() // want `math/rand\.Int is forbidden`
	_ = v2.Int()
	_, _ = url.Parse("") // want `net/url\.Parse is forbidden`
}

func Sleep() { Sleep() }
