"""Writers of configuration files: ours is changed, everything else stays, and no value leaves its place."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from games import config_files
from games.lines import one_line

one_liners = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), max_size=40).filter(one_line)

SERVERCONFIG = """\ufeff<?xml version="1.0"?>\r
<ServerSettings>\r
\t<!-- <property name="ServerPort" value="1"/> is an example -->\r
\t<property name="ServerPort"\tvalue="26900"/>\t<!-- the port -->\r
\t<property  value='a > b' name='ServerName'></property>\r
\t<property name="ServerPortRange" value="keep"/>\r
\t<property name="TelnetPassword"/>\r
</ServerSettings>\r
<!-- end </ServerSettings> -->\r
"""


def test_xml_keeps_what_is_not_ours() -> None:
    new = config_files.write(
        "xml-properties",
        SERVERCONFIG,
        {"ServerPort": "1234", "ServerName": 'it\'s "<b>" & c', "TelnetPassword": "s", "New": "x"},
    )
    assert new == (
        SERVERCONFIG.replace('value="26900"', 'value="1234"')
        .replace("value='a > b'", 'value="it\'s &quot;&lt;b&gt;&quot; &amp; c"')
        .replace('<property name="TelnetPassword"/>', '<property value="s" name="TelnetPassword"/>')
        .replace("\r\n</ServerSettings>\r", '\r\n\t<property name="New" value="x" />\r\n</ServerSettings>\r', 1)
    )


@given(st.dictionaries(st.from_regex(r"\A[A-Za-z]{1,12}\Z"), one_liners, max_size=4))
def test_xml_holds_any_value_and_writes_it_once(settings: dict[str, str]) -> None:
    old = SERVERCONFIG
    new = config_files.write("xml-properties", old, settings)
    assert config_files.read("xml-properties", new) == {**config_files.read("xml-properties", old), **settings}
    assert config_files.write("xml-properties", new, settings) == new


def test_xml_makes_a_new_file() -> None:
    new = config_files.write("xml-properties", "", {"A": "1"})
    assert [p.attrib for p in ElementTree.fromstring(new)] == [{"name": "A", "value": "1"}]


@pytest.mark.parametrize(
    ("old", "said"),
    [
        ("<ServerSettings><property name='A' value='1'></ServerSettings>", "not valid XML"),
        ("<!DOCTYPE x [<!ENTITY a 'b'>]><ServerSettings/>", "declares XML entities"),
        ("<ServerSettings/>", "no closing tag"),
        ("<S><property name='&#65;' value='1'/></S>", "cannot be changed safely"),
    ],
)
def test_xml_refuses_what_it_does_not_understand(old: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        config_files.write("xml-properties", old, {"A": "2"})


def test_lines_keep_what_is_not_ours() -> None:
    old = '# my server\nsv_name "old"\nSV_NAME older\nadd_vote "x" "y"\n\nsv_motd "a;b"\n'
    new = config_files.write("key-value", old, {"sv_name": 'a "b"; c\\', "sv_port": "8303"})
    assert new == '# my server\nadd_vote "x" "y"\n\nsv_motd "a;b"\nsv_name "a \\"b\\"; c\\\\"\nsv_port "8303"\n'


def test_lines_of_others_keep_every_byte() -> None:
    old = 'sv_motd "a\x0cb\x85c\u2028d"\r\n\udcff\nsv_port 1'
    new = config_files.write("key-value", old, {"sv_port": "2"})
    assert new == 'sv_motd "a\x0cb\x85c\u2028d"\r\n\udcff\nsv_port "2"\n'


@given(st.dictionaries(st.from_regex(r"\A[a-z_]{1,12}\Z"), one_liners, max_size=4))
def test_lines_hold_any_value_and_write_it_once(settings: dict[str, str]) -> None:
    new = config_files.write("key-value", "# hello\n", settings)
    assert config_files.read("key-value", new) == settings
    assert config_files.write("key-value", new, settings) == new
    assert len(new.splitlines()) == 1 + len(settings)


@pytest.mark.parametrize("form", ["xml-properties", "key-value"])
@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\0b", "a\x1bb", "a\u2028b"])
def test_no_value_breaks_out_of_its_line(form: config_files.Format, value: str) -> None:
    with pytest.raises(ValueError, match="line break or another control character"):
        config_files.write(form, "", {"name": value})


@pytest.mark.parametrize("key", ["a b", "a;b", "", "Ä", "exec\n"])
def test_lines_take_names_of_settings_only(key: str) -> None:
    with pytest.raises(ValueError, match="not the name of a setting"):
        config_files.write("key-value", "", {key: "x"})
