package web

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

func TestQRCode_CanBeScanned(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"otpauth://totp/localhost:ada@example.com?issuer=localhost&secret=ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
		"otpauth://totp/" + strings.Repeat("h", 63) + ".example.com:" + strings.Repeat("m", 64) + "@" + strings.Repeat("w.", 90) + "com?secret=" + strings.Repeat("A", 32),
	} {
		code, err := newQRCode(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := scanQR(t, fmt.Sprintf(`viewBox="0 0 %d %d" %s`, code.Size, code.Size, code.Path)); got != text {
			t.Errorf("scanned %q, want %q", got, text)
		}
	}
}

var (
	qrSize   = regexp.MustCompile(`viewBox="0 0 (\d+) (\d+)"`)
	qrStripe = regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-(\d+)z`)
)

// scanQR returns the text of a QR code in a page, as a phone's camera would read it.
func scanQR(t *testing.T, page string) string {
	t.Helper()
	size := qrSize.FindStringSubmatch(page)
	if size == nil {
		t.Fatalf("no QR code: %.300s", page)
	}
	number := func(text string) int {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	const scale = 8 // pixels of a module
	all := number(size[1]) * scale
	img := image.NewGray(image.Rect(0, 0, all, all))
	draw.Draw(img, img.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	for _, stripe := range qrStripe.FindAllStringSubmatch(page, -1) {
		x, y, length := number(stripe[1])*scale, number(stripe[2])*scale, number(stripe[3])*scale
		draw.Draw(img, image.Rect(x, y, x+length, y+scale), image.NewUniform(color.Black), image.Point{}, draw.Src)
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		t.Fatal(err)
	}
	found, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
	if err != nil {
		t.Fatal(err)
	}
	return found.GetText()
}
