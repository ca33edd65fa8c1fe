"""Files: drawings as SVG, images as PNG, films as animated SVG, WebP and mp4."""
