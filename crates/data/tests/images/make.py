# Made with Pillow 13.0.0: `python make.py`.
from PIL import Image
im = Image.new("RGB", (37, 23), (200, 30, 60))
for x in range(37):
    im.putpixel((x, x % 23), (x * 6, 255 - x * 6, 9))
im.save("a.png"); im.save("a.jpg", quality=60); im.save("progressive.jpg", progressive=True, quality=60)
im.save("a.gif"); im.save("a.bmp"); im.save("lossy.webp", quality=50); im.save("lossless.webp", lossless=True)
rgba = im.convert("RGBA"); rgba.putalpha(120); rgba.save("extended.webp", quality=50, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0")
