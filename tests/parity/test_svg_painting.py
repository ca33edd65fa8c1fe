"""Files with all of SVG's path painting: our picture against librsvg's, and of what we write again against both."""

import io
import warnings

import numpy as np
import pytest
import pyvips
import resvg_py
import torch
from PIL import Image

from clipdraw.io.svg import from_svg, to_svg
from clipdraw.raster import rasterize
from tests.raster_scenes import picture

FRAME = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100" width="{}" height="{}">{}</svg>'
STOPS = '<stop stop-color="#e33"/><stop offset=".4" stop-color="#fd4"/><stop offset="1" stop-color="#24c"/>'
ZIGZAG = "M15 75L35 25L50 75L58 25L63 75L85 40"

SAMPLES = {
    "fill rules": """
        <path d="M50 5L79 95L2 39H98L21 95Z" fill="#c33"/>
        <path fill-rule="evenodd" d="M10 10h80v80h-80zM30 30h40v40h-40z" fill="teal" fill-opacity=".6"/>""",
    "curves and arcs": """
        <path d="M10 60Q25 5 40 60T70 60S95 90 80 20z" fill="#297" stroke="#124" stroke-width="2"/>
        <path d="M15 80a20 8 30 1 1 40 5A12 12 0 0 0 80 85l-5 10z" fill="orange"/>""",
    "basic shapes": """
        <rect x="5" y="5" width="40" height="30" rx="8" fill="#38c"/>
        <rect x="52" y="6" width="40" height="28" fill="none" stroke="#222" stroke-width="3"/>
        <circle cx="25" cy="65" r="18" fill="gold" stroke="#a50" stroke-width="4"/>
        <ellipse cx="70" cy="55" rx="22" ry="10" fill="#d6a"/>
        <line x1="50" y1="75" x2="95" y2="95" stroke="green" stroke-width="5"/>
        <polyline points="50,90 60,75 70,92 80,75" fill="none" stroke="purple" stroke-width="2"/>
        <polygon points="5,95 15,85 25,97" fill="#333"/>""",
    "caps": "".join(
        f'<path d="M20 {20 + 30 * n}H80" stroke="#247" stroke-width="18" stroke-linecap="{cap}"/>'
        for n, cap in enumerate(("butt", "round", "square"))
    ),
    "joins": "".join(
        f'<path d="{ZIGZAG}" transform="translate(5 {30 * n - 25}) scale(.8)" fill="none" stroke="#733"'
        f' stroke-width="5" {join}/>'
        for n, join in enumerate(
            ('stroke-linejoin="miter"', 'stroke-linejoin="round"', 'stroke-linejoin="bevel"', 'stroke-miterlimit="20"')
        )
    ),
    "closed and open": """
        <path d="M10 10h30v30h-30z" fill="none" stroke="#000" stroke-width="6"/>
        <path d="M60 10h30v30h-30V10" fill="#fc8" stroke="#000" stroke-width="6"/>
        <path d="M10 60h30v30h-30zM55 60h35v30" fill="#8cf" stroke="#024" stroke-width="4"/>""",
    "opacity": """
        <rect x="10" y="10" width="50" height="50" fill="red" opacity=".5"/>
        <g opacity=".4"><circle cx="60" cy="35" r="20" fill="blue"/><circle cx="30" cy="80" r="10" fill="lime"/></g>
        <path d="M10 90L90 50" stroke="#000" stroke-width="9" stroke-opacity=".3"/>
        <path d="M70 70h20v20h-20z" fill="#080" fill-opacity=".3" stroke="#808" stroke-opacity=".6"/>""",
    "opacity of fill and stroke together": f"""
        <rect width="100" height="60" fill="#fc5"/>
        <path d="M15 15h40v70h-40z" fill="#080" stroke="#808" stroke-width="16" opacity=".5"/>
        <g opacity=".8"><circle cx="75" cy="30" r="15" fill="#c00" fill-opacity=".6" stroke="#fff" stroke-opacity=".7"
            stroke-width="9" opacity=".75"/></g><linearGradient id="a">{STOPS}</linearGradient>
        <path d="M65 60l30 5l-15 30z" fill="url(#a)" stroke="url(#a)" stroke-opacity=".8" stroke-width="10"
            transform="translate(30) scale(.6 1)" opacity=".6"/>""",
    "transforms": """
        <g transform="translate(50 50) rotate(30)"><g transform="scale(1.5 .6)">
        <rect x="-25" y="-30" width="50" height="60" fill="#ffb" stroke="#36a" stroke-width="8"/></g></g>
        <path d="M5 5L40 15" transform="skewX(30)" stroke="#b33" stroke-width="6" stroke-linecap="round"/>
        <circle r="8" transform="matrix(1 .5 -.4 2 80 75)" fill="none" stroke="#3a3" stroke-width="3"/>""",
    "linear gradients": f"""
        <defs><linearGradient id="a" x2="1" y2="1">{STOPS}</linearGradient>
        <linearGradient id="b" href="#a" gradientUnits="userSpaceOnUse" x1="20" x2="40" y2="10" spreadMethod="reflect"/>
        <linearGradient id="c" href="#a" gradientTransform="rotate(60) scale(.5)" spreadMethod="repeat"/></defs>
        <rect x="5" y="5" width="60" height="25" fill="url(#a)"/>
        <ellipse cx="50" cy="50" rx="40" ry="15" fill="url(#b)" fill-opacity=".8"/>
        <path d="M10 70h60v25z" fill="url(#c)" transform="rotate(-5)"/>""",
    "radial gradients": f"""
        <defs><radialGradient id="a">{STOPS}</radialGradient>
        <radialGradient id="b" gradientUnits="userSpaceOnUse" cx="70" cy="30" r="15" fx="65" fy="24"
            spreadMethod="reflect">{STOPS}</radialGradient>
        <radialGradient id="c" fx=".2" fy=".7" gradientTransform="rotate(20 .5 .5)">
            <stop stop-color="#fff" stop-opacity="0"/><stop offset="1" stop-color="#408"/></radialGradient></defs>
        <circle cx="25" cy="25" r="20" fill="url(#a)"/><rect x="50" y="5" width="45" height="45" fill="url(#b)"/>
        <ellipse cx="50" cy="75" rx="40" ry="20" fill="url(#c)"/>""",
    "stroked gradients": f"""
        <defs><linearGradient id="a">{STOPS}</linearGradient></defs>
        <circle cx="50" cy="40" r="28" fill="none" stroke="url(#a)" stroke-width="14"/>
        <path d="M10 80C30 60 60 99 90 80" fill="none" stroke="url(#a)" stroke-width="8"
            transform="translate(0 40) scale(1 .6)"/>""",
    "style sheets, use and symbols": """
        <style>.a{fill:#e84;stroke:#420;stroke-width:2} #b{fill:none;stroke:#07a;stroke-linejoin:round}</style>
        <defs><path id="p" class="a" d="M0 0h20l-10 20z"/></defs><symbol id="s" viewBox="0 0 10 10">
        <circle cx="5" cy="5" r="4" fill="currentColor"/></symbol>
        <use href="#p" x="10" y="10"/><use href="#p" transform="translate(60 5) scale(1.5)"/>
        <use href="#s" x="10" y="50" width="40" height="40" color="#385"/>
        <rect id="b" x="60" y="60" width="30" height="30" style="stroke-width:7"/>""",
    "the cascade": """
        <style>@charset "utf-8"; g>rect{fill:hsl(0.3turn 100% 30%)} .b{stroke:red}
            .a{stroke:#07a;stroke-width:.2em;font-size:20px}
            #q{fill:gold!important} :root circle{r:15px;fill:hwb(20 10% 5%)} rect:first-child{fill:teal}</style>
        <g font-size="30"><rect x="5" y="5" width="40" height="30"/><rect x="55" y="5" width="40" height="30"/></g>
        <rect id="q" class="a b" x="10" y="50" width="30" height="40" style="fill:red;fill:lime"/>
        <circle cx="70" cy="65" r="3" fill="blue"/>""",
    "a stroke beneath its fill": """
        <rect width="100%" height="100%" fill="#eef"/>
        <path d="M20 20h60v60h-60z" fill="#fa0" stroke="#333" stroke-width="16" paint-order="stroke"/>""",
    "numbers of all forms": """
        <polygon points="10,5 50.5.5 80 60" fill="#c33"/><polyline points="+60+5 90,5,90+40" fill="teal"/>
        <path d="M10 60a20 8 30 1140 5A12 12 0 0080 85.l-5 10z" fill="orange" stroke="#333"/>""",
    "viewports and switches": """
        <svg x="5" y="5" width="40" height="60" viewBox="0 0 10 5"><rect width="50%" height="100%" fill="#38c"/></svg>
        <symbol id="s" viewBox="0 0 10 20" preserveAspectRatio="xMidYMid slice"><rect y="6" width="10" height="9"/>
        </symbol><use href="#s" x="50" y="10" width="40" height="40"/><switch>
        <foreignObject requiredExtensions="x"/><rect y="70" width="50%" height="20%" rx="auto" ry="5"/>
        <rect width="100" height="100"/></switch><path paint-order="markers stroke" d="M60 60h30v30z" fill="red"
        stroke="blue" stroke-width="8"/>""",
    "dashes": """
        <path d="M10 15C30 -5 60 40 90 15" fill="none" stroke="#247" stroke-width="5" stroke-dasharray="9 4 2"/>
        <rect x="10" y="35" width="40" height="30" rx="9" fill="#fd8" stroke="#a30" stroke-width="4"
            stroke-dasharray="10%" stroke-dashoffset="-3"/>
        <circle cx="75" cy="50" r="15" fill="none" stroke="#383" stroke-width="6" stroke-dasharray="0 11.78"
            stroke-linecap="round"/>
        <path d="M10 80h50v12h-50zM70 80l20 12" fill="none" stroke="#639" stroke-width="4" stroke-dasharray="7 5"
            transform="skewX(-9) translate(9)"/>""",
    "markers": """
        <marker id="a" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="4" markerHeight="4" orient="auto">
            <path d="M0 1L10 5L0 9z" fill="context-stroke"/></marker>
        <marker id="b" markerUnits="userSpaceOnUse" markerWidth="9" markerHeight="7" refX="4" refY="4" orient="20">
            <circle cx="4" cy="4" r="5" fill="gold"/></marker>
        <path d="M10 40C20 0 40 0 50 30S80 60 90 20" fill="none" stroke="#247" stroke-width="3" marker-end="url(#a)"
            marker-start="url(#a)" marker-mid="url(#b)"/>
        <polyline points="10,90 40,60 60,85 95,65" fill="none" stroke="#a30" stroke-width="2"
            style="marker:url(#a)"/>""",
    "contexts": f"""
        <linearGradient id="g" gradientUnits="userSpaceOnUse" x2="60" y2="60">{STOPS}</linearGradient>
        <defs><g id="a"><rect width="40" height="30" fill="context-fill" stroke="context-stroke" stroke-width="4"/>
        <circle cx="55" cy="15" r="9" fill="context-stroke"/></g></defs>
        <use href="#a" x="8" y="8" fill="#fd8" stroke="#a30"/>
        <use href="#a" transform="translate(20 55)" fill="url(#g)" stroke="#247"/>""",
    "fills cut off at viewports and clips": f"""
        <linearGradient id="g">{STOPS}</linearGradient><clipPath id="c" transform="rotate(20 70 70)"><rect x="55" y="55"
            width="30" height="30"/></clipPath>
        <svg x="10" y="10" width="35" height="30"><circle cx="30" cy="20" r="28" fill="url(#g)"/></svg>
        <g transform="translate(60 5) skewX(20)"><svg width="25" height="40" viewBox="0 0 10 10"
            preserveAspectRatio="xMidYMid slice"><path fill-rule="evenodd" d="M-9 2h30v6h-30zM3 -9h4v30h-4z"/></svg></g>
        <path d="M50 50C90 50 60 99 99 99L60 80z" fill="teal" clip-path="url(#c)"/>
        <symbol id="s" viewBox="0 0 10 10"><circle r="9" fill="#a30"/></symbol>
        <use href="#s" x="10" y="60" width="30" height="20"/>""",
    "as Inkscape writes": """
        <sodipodi:namedview xmlns:sodipodi="http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd" pagecolor="#fff"/>
        <defs id="defs1"><linearGradient id="linearGradient2"><stop style="stop-color:#0080ff;stop-opacity:1;"
            offset="0" id="stop1"/><stop style="stop-color:#0080ff;stop-opacity:0;" offset="1" id="stop2"/>
        </linearGradient><linearGradient xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="#linearGradient2"
            id="linearGradient3" x1="10" y1="50" x2="90" y2="50" gradientUnits="userSpaceOnUse"
            gradientTransform="matrix(0.8,0.1,0,1,4,-3)"/></defs>
        <g xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" inkscape:groupmode="layer" id="layer1"
            style="display:inline"><path id="path4" d="m 20,20 c 20,-20 50,0 60,20 -10,50 -30,50 -60,40 z"
            style="fill:url(#linearGradient3);fill-opacity:1;fill-rule:evenodd;stroke:#aa0044;stroke-width:2.5;
            stroke-linecap:butt;stroke-linejoin:miter;stroke-miterlimit:4;stroke-dasharray:none;stroke-opacity:1"
            inkscape:connector-curvature="0"/><circle style="fill:#ffd42a;stroke:none" id="p5" cx="75" cy="80" r="9"
            transform="matrix(1.2,0,-0.3,0.9,12,5)"/></g>""",
    "as Illustrator writes": """
        <style type="text/css">.st0{fill:#F9B233;}.st1{fill:none;stroke:#1D1D1B;stroke-width:3;stroke-linecap:round;
            stroke-linejoin:round;stroke-miterlimit:10;}.st2{fill:url(#SVGID_1_);}</style>
        <switch><g>
        <path class="st0" d="M85.2,41.3c0,14.9-12.1,27-27,27s-27-12.1-27-27s12.1-27,27-27S85.2,26.4,85.2,41.3z"/>
        <polyline class="st1" points="12.5,86.1 30.2,60.8 44.7,82.3 61.9,55.5 "/>
        <radialGradient id="SVGID_1_" cx="25" cy="25" r="15.5" gradientUnits="userSpaceOnUse"><stop offset="0"
            style="stop-color:#FFFFFF"/><stop offset="1" style="stop-color:#009FE3"/></radialGradient>
        <circle class="st2" cx="25" cy="25" r="15.5"/><rect x="70" y="70" class="st1" width="20" height="20"/>
        </g></switch>""",
}


@pytest.mark.parametrize("origin", ["50 50", "center", "right 25%", "30px 2em"])
def test_transforms_turn_about_their_origin_as_in_resvg(origin):
    shape = (
        f'<rect x="30" y="40" width="40" height="30" fill="#609" transform="rotate(40)" transform-origin="{origin}"/>'
    )
    text = FRAME.format(200, 200, shape)
    with Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=text, background="white")))) as image:
        theirs = picture(np.array(image.convert("RGB")))
    assert float((rasterize(from_svg(text), height=200).double() - theirs).abs().mean()) * 255 <= 0.3


def by_librsvg(text):
    return picture(pyvips.Image.svgload_buffer(text.encode()).flatten(background=255).numpy())


def error(drawing, text, size):
    """Mean absolute difference in 255ths."""
    theirs = by_librsvg(text)
    return float((rasterize(drawing, height=size).double() - theirs).abs().mean()) * 255


@pytest.mark.parametrize(("size", "allowed"), [(64, 0.8), (1024, 0.5)])
@pytest.mark.parametrize("name", SAMPLES)
def test_files_look_as_in_other_programs(name, size, allowed):
    text = FRAME.format(size, size, SAMPLES[name])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawing = from_svg(text)
    off = error(drawing, text, size)
    assert off <= allowed


@pytest.mark.parametrize("name", SAMPLES)
def test_what_is_written_again_looks_the_same(name):
    drawing = from_svg(FRAME.format(224, 224, SAMPLES[name]))
    written = to_svg(drawing)
    assert error(drawing, written.replace('width="100" height="100"', 'width="224" height="224"', 1), 224) <= 0.5
    again = from_svg(written)
    assert all(torch.equal(mine, theirs) for mine, theirs in zip(again.parameters(), drawing.parameters(), strict=True))
    assert again.styles == drawing.styles
