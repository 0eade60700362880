//course:since m01b

package ttlog

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

const maxLine = 64 << 10 // without the line end

var errLongLine = fmt.Errorf("longer than %d bytes", maxLine)

// eachLine calls f with each line and its number, or with errLongLine. A line
// that an error cuts off is none.
func eachLine(in io.Reader, f func(number int64, line string, err error)) error {
	buf := bufio.NewReaderSize(in, maxLine+1)
	for number := int64(1); ; number++ {
		var tooLong error
		text, err := buf.ReadSlice('\n')
		line := string(text)
		for errors.Is(err, bufio.ErrBufferFull) {
			line, tooLong = "", errLongLine
			_, err = buf.ReadSlice('\n')
		}
		if err != nil && err != io.EOF {
			return fmt.Errorf("line %d: %w", number, err)
		}
		if line != "" || tooLong != nil {
			f(number, strings.TrimSuffix(line, "\n"), tooLong)
		}
		if err == io.EOF {
			return nil
		}
	}
}
