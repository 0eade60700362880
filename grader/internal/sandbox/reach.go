package sandbox

// Reach is what a command may touch besides its own memory. Paths are absolute;
// what does not exist is left out. The zero value reaches nothing but what every
// program on this system needs to start.
//
// How much of it the system enforces is for [Lacks] to say.
type Reach struct {
	Read  []string // files, and directories with all that is below them
	Write []string // the same, to read, write, make and remove
	Exec  []string // the same, to read and start; Args[0] is always one of them

	// Scratch is an empty directory for temporary files, or empty. Where the
	// system has namespaces it is a file system in memory of at most ScratchSize
	// bytes for the command's lifetime.
	Scratch string

	Children bool // start processes; they end with the command
	Loopback bool // use TCP and UDP on loopback
}

// ScratchSize is how much fits into Reach.Scratch, in bytes.
const ScratchSize = 512 << 20
