"""The charsets of the Web, under all names that they are called by.

WHATWG Encoding, "Names and labels"; RFC 9110, section 8.3.2. Python knows more codecs,
and some of them are slow, or compress, or are no text at all: a client may not choose those.
"""

from __future__ import annotations

from wsgikit.http.problem import HTTPError

__all__ = ["codec_of"]

# A codec of Python, then the labels that mean it. Those of Latin-1 mean windows-1252, as on the
# Web, where nobody sends the controls that Latin-1 has in place of its quotes and dashes.
_TABLE = """
utf-8         utf-8 utf8 unicode-1-1-utf-8 x-unicode20utf8
cp1252        windows-1252 cp1252 x-cp1252 iso-8859-1 iso8859-1 latin1 latin-1 l1 ascii us-ascii
cp866         ibm866 cp866 866
iso8859-2     iso-8859-2 iso8859-2 latin2 l2
iso8859-3     iso-8859-3 iso8859-3 latin3 l3
iso8859-4     iso-8859-4 iso8859-4 latin4 l4
iso8859-5     iso-8859-5 iso8859-5 cyrillic
iso8859-6     iso-8859-6 iso8859-6 arabic
iso8859-7     iso-8859-7 iso8859-7 greek
iso8859-8     iso-8859-8 iso-8859-8-i iso8859-8 hebrew
iso8859-10    iso-8859-10 iso8859-10 latin6 l6
iso8859-13    iso-8859-13 iso8859-13
iso8859-14    iso-8859-14 iso8859-14
iso8859-15    iso-8859-15 iso8859-15 l9
iso8859-16    iso-8859-16
koi8-r        koi8-r koi8 koi
koi8-u        koi8-u koi8-ru
mac-roman     macintosh mac x-mac-roman
mac-cyrillic  x-mac-cyrillic x-mac-ukrainian
cp874         windows-874 tis-620 iso-8859-11
cp1250        windows-1250 cp1250 x-cp1250
cp1251        windows-1251 cp1251 x-cp1251
cp1253        windows-1253 cp1253 x-cp1253
cp1254        windows-1254 cp1254 x-cp1254 iso-8859-9 iso8859-9 latin5 l5
cp1255        windows-1255 cp1255 x-cp1255
cp1256        windows-1256 cp1256 x-cp1256
cp1257        windows-1257 cp1257 x-cp1257
cp1258        windows-1258 cp1258 x-cp1258
gb18030       gb18030 gbk x-gbk gb2312 gb_2312 gb_2312-80 chinese
big5hkscs     big5 big5-hkscs cn-big5 x-x-big5
euc-jp        euc-jp x-euc-jp
iso2022-jp    iso-2022-jp csiso2022jp
cp932         shift_jis shift-jis sjis ms_kanji ms932 windows-31j x-sjis
cp949         euc-kr korean ks_c_5601-1987 windows-949
utf-16        utf-16
utf-16-le     utf-16le
utf-16-be     utf-16be
"""

_CODECS = {
    label: codec
    for codec, *labels in map(str.split, _TABLE.strip().splitlines())
    for label in labels
}


def codec_of(charset: str) -> str:
    """Python's name of the codec for a charset.

    :param charset: a name or label as of a Content-Type, in any case.
    :raises HTTPError: 415 when it is no charset of the Web, ``zip`` for example.
    """
    codec = _CODECS.get(charset.strip().lower())
    if codec is None:
        raise HTTPError(415, f"Text in {charset[:40]!a} is not read here; send UTF-8.")
    return codec
