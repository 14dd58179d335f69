package web

import (
	"fmt"
	"image"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// quietZone is the number of light modules around a QR code, as scanners need it.
const quietZone = 4

// qrCode is a QR code that the template "qr" draws as an SVG image.
type qrCode struct {
	Size int    // of each side in modules, with the quiet zone
	Path string // of the dark modules
}

// newQRCode returns the QR code of a text.
func newQRCode(text string) (qrCode, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return qrCode{}, fmt.Errorf("draw QR code: %w", err)
	}
	size := code.Bounds().Dx()
	var path strings.Builder
	for y := range size {
		for x := 0; x < size; x++ {
			begin := x
			for x < size && isDark(code, x, y) {
				x++
			}
			if x > begin {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", begin+quietZone, y+quietZone, x-begin, x-begin)
			}
		}
	}
	return qrCode{Size: size + 2*quietZone, Path: path.String()}, nil
}

// isDark reports whether a module of a QR code is dark.
func isDark(code image.Image, x, y int) bool {
	red, _, _, _ := code.At(x, y).RGBA()
	return red == 0
}
