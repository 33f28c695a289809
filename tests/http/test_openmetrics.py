from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wsgikit.http.openmetrics import counter, exposition, gauge, histogram


def test_counter():
    family = counter("things", "Things done.", [({}, 3), ({"a": "1", "b": "2"}, 2.5)])
    assert exposition([family]) == (
        "# TYPE things counter\n"
        "# HELP things Things done.\n"
        "things_total 3\n"
        'things_total{a="1",b="2"} 2.5\n'
        "# EOF\n"
    )


def test_gauge():
    assert exposition([gauge("open", "Open ones.", [({}, 0)])]) == (
        "# TYPE open gauge\n# HELP open Open ones.\nopen 0\n# EOF\n"
    )


def test_histogram_adds_up_its_buckets():
    family = histogram(
        "took_seconds", "How long.", [0.5, 1, 10], [({"r": "/"}, [1, 0, 2, 4], 99.5)]
    )
    assert exposition([family]) == (
        "# TYPE took_seconds histogram\n"
        "# UNIT took_seconds seconds\n"
        "# HELP took_seconds How long.\n"
        'took_seconds_bucket{r="/",le="0.5"} 1\n'
        'took_seconds_bucket{r="/",le="1.0"} 1\n'
        'took_seconds_bucket{r="/",le="10.0"} 3\n'
        'took_seconds_bucket{r="/",le="+Inf"} 7\n'
        'took_seconds_count{r="/"} 7\n'
        'took_seconds_sum{r="/"} 99.5\n'
        "# EOF\n"
    )


def test_the_older_format_names_counters_otherwise_and_has_no_end():
    families = [counter("sent_bytes", "Sent.", [({}, 1)]), gauge("open", "Open.", [({}, 2)])]
    assert exposition(families, older=True) == (
        "# TYPE sent_bytes_total counter\n"
        "# HELP sent_bytes_total Sent.\n"
        "sent_bytes_total 1\n"
        "# TYPE open gauge\n"
        "# HELP open Open.\n"
        "open 2\n"
    )
    assert "# UNIT sent_bytes bytes\n" in exposition([counter("sent_bytes", "", [])])


def test_labels_are_escaped():
    text = exposition([gauge("a", "x\ny", [({"l": 'a"b\\c\nd'}, 1)])])
    assert text == '# TYPE a gauge\n# HELP a x\\ny\na{l="a\\"b\\\\c\\nd"} 1\n# EOF\n'


@given(st.text())
def test_a_label_stays_on_its_line_and_within_its_quotes(value):
    line = exposition([gauge("a", "", [({"l": value}, 1)])]).split("\n")[2]
    assert line.startswith('a{l="')
    assert line.endswith('"} 1')
    inner = line[5:-4].replace("\\\\", "").replace('\\"', "").replace("\\n", "")
    assert '"' not in inner
    assert "\\" not in inner


def test_nothing_is_an_end():
    assert exposition([]) == "# EOF\n"
