"""yanpan.toml: read, overridden by the command line, explained in one line; a key is never shown."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

import yanpan
from dashboard import basemaps
from dashboard.settings import VARIABLE, Settings, read_settings
from dashboard.settings_file import SettingsFile, WebhookTable, read_file
from data.errors import UsageError

DOCS = Path(__file__).resolve().parents[3] / "docs"
MAP = '[[basemap]]\nid = "a"\nname = "甲"\n'
XYZ = MAP + 'kind = "xyz"\naddress = "https://tiles.example/{z}/{x}/{y}.png?token={key}"\nkey = "SECRET"\n'


@pytest.fixture
def written(tmp_path):
    """Write the file and read the settings; keywords go to ``read_settings``."""

    def read(text: str | bytes, **given) -> Settings:
        (tmp_path / "yanpan.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_settings(tmp_path, **given)

    return read


def test_without_a_file_everything_has_its_default(tmp_path):
    assert read_settings(tmp_path) == Settings(workspace=tmp_path)


def test_the_file_is_read_and_the_command_line_wins(written, tmp_path):
    text = '[server]\nhost = "10.0.0.7"\nport = 9000\nworkers = 3\n[thresholds]\nstrong_p = 0.005\nmissing_pct = 10\n'
    settings = written(text)
    assert (settings.host, settings.port, settings.workers) == ("10.0.0.7", 9000, 3)
    assert (settings.limits.strong_p, settings.limits.mild_p, settings.limits.missing_pct) == (0.005, 0.05, 10)
    assert settings.workspace == tmp_path
    over = written(text, host="127.0.0.1", port=8051, workers=None, open_mode=True)
    assert (over.host, over.port, over.workers, over.open_mode) == ("127.0.0.1", 8051, 3, True)


def test_notepad_files_with_a_mark_and_windows_line_ends_are_read(written):
    assert written(b"\xef\xbb\xbf[server]\r\nport = 8123\r\n").port == 8123


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("colour = 1", ["colour", "server thresholds screen report webhook basemap"]),
        ("[server]\nprot = 1", [r"\[server\]", "prot", "host port workers"]),
        ('[server]\nport = "8050"', [r"\[server\] port", '"8050"', "0 至 65535"]),
        ("[server]\nport = 70000", [r"\[server\] port", "70000", "0 至 65535"]),
        ("[server]\nworkers = true", [r"\[server\] workers", "True", "1 至 64"]),
        ("server = 3", ["server", r"\[server\]"]),
        ("[thresholds]\nmild_p = 2", [r"\[thresholds\] mild_p", "2", "0 与 1 之间"]),
        ("[thresholds]\nstrong_p = 0.2", ["strong_p", r"0\.2", r"mild_p（0\.05）"]),
        ("[basemap]\nid = 'x'", ["basemap", r"\[\[basemap\]\]"]),
        ("basemap = [3]", ["basemap"]),
        ("[[basemap]]\nid = 'x'", [r"\[\[basemap\]\] x name", "没有写"]),
        ("[[basemap]]\nid = '../x'\nname = 'n'\nkind = 'pmtiles'\npath = 'p'", ["id", r'"\.\./x"', "字母、数字"]),
        (MAP.replace('"a"', '"none"') + "kind = 'pmtiles'\npath = 'p'", [" id", "none 以外"]),
        (MAP + "kind = 'geojson'", ["a kind", '"geojson"', "mbtiles pmtiles xyz wmts tianditu"]),
        (MAP + "kind = 'mbtiles'", ["a path", "没有写", "文件路径"]),
        (MAP + "kind = 'mbtiles'\npath = 'p'\naddress = 'http://h/'", ["a address", "mbtiles 不用"]),
        (MAP + "kind = 'xyz'\naddress = 'http://h/{z}/{x}/{y}'\npath = 'p'", ["a path", "xyz 不用"]),
        (MAP + "kind = 'xyz'\naddress = 'http://h/{z}/{x}/{y}'\nlayer = 'img'", ["a layer", "xyz 不用"]),
        (MAP + "kind = 'xyz'\naddress = 'h/{z}/{x}/{y}'", ["a address", "https://"]),
        (MAP + "kind = 'xyz'\naddress = 'http://h/{z}/{x}'", ["a address", r"地址里有 \{y\}"]),
        (
            MAP + "kind = 'xyz'\naddress = 'http://h/{z}/{x}/{y}/{s}'",
            ["a address", r"花括号只有 \{z\} \{x\} \{y\} \{key\}"],
        ),
        (MAP + "kind = 'xyz'\naddress = 'http://h/{z}/{x}/{y}'\ndatum = 'bd09'", ["a datum", "bd09", "wgs84 gcj02"]),
        (MAP + "kind = 'xyz'\naddress = 'http://h/{z}/{x}/{y}'\nkey = 'k'", ["a address", "key 与地址里的"]),
        (
            MAP + "kind = 'wmts'\naddress = 'http://h/{z}/{x}/{y}'",
            ["a address", r"\{TileMatrix\} \{TileCol\} \{TileRow\}"],
        ),
        (MAP + "kind = 'tianditu'", ["a key", "没有写", r"\$\{TIANDITU_KEY\}"]),
        (MAP + "kind = 'tianditu'\nkey = 'k'\ndatum = 'gcj02'", ["a datum", "没有偏移"]),
        (MAP + "kind = 'tianditu'\nkey = 'k'\naddress = 'http://h/{z}'", ["a address", "镜像的前段"]),
        (MAP + "kind = 'tianditu'\nkey = 'k'\nmin_zoom = 25", ["a min_zoom", "25", "0 至 24"]),
        (MAP + "kind = 'tianditu'\nkey = 'k'\nmin_zoom = 9\nmax_zoom = 8", ["a max_zoom", "不小于 min_zoom"]),
        (XYZ + XYZ, ["id", "a", "每张底图一个编号"]),
        (b"\xb5\xd8\xcd\xbc = 1", ["UTF-8"]),
        ("[server]\nport = \n", ["TOML", "第 2 行"]),
    ],
)
def test_what_cannot_be_is_one_line_naming_key_found_and_expected(written, text, told):
    with pytest.raises(UsageError) as fault:
        written(text)
    line = fault.value.line()
    assert "\n" not in line and "yanpan.toml" in line and "Input should" not in line
    assert [part for part in told if not re.search(part, line)] == [], line


@pytest.mark.parametrize(
    "text",
    [
        XYZ.replace("{z}", "SECRET"),
        XYZ.replace('"SECRET"', "SECRET"),
        XYZ + "min_zoom = 'x'\n",
        XYZ.replace("key =", "kee ="),
        XYZ + "path = 'p'\n",
        MAP + 'kind = "tianditu"\nkey = "SECRET"\ndatum = "gcj02"\n',
        MAP + 'kind = "tianditu"\nkey = ["SECRET"]\n',
        MAP + 'kind = "tianditu"\nkey = "k"\naddress = "SECRET"\n',
        MAP + 'kind = "tianditu"\nkey = "SECRET\n',
    ],
)
def test_a_key_or_address_is_never_told(written, text):
    with pytest.raises(UsageError) as fault:
        written(text)
    assert "SECRET" not in fault.value.line()
    assert fault.value.__suppress_context__


def test_open_mode_names_the_file_where_the_host_stands_there(written):
    with pytest.raises(UsageError, match=r"yanpan.toml \[server\] host.*0\.0\.0\.0"):
        written('[server]\nhost = "0.0.0.0"', open_mode=True)
    with pytest.raises(UsageError, match=r"--host.*0\.0\.0\.0"):
        written('[server]\nhost = "127.0.0.1"', open_mode=True, host="0.0.0.0")


def test_addresses_and_keys_come_from_the_environment(written):
    text = MAP + 'kind = "xyz"\naddress = "https://${HOST}/{z}/{x}/{y}?tk={key}"\nkey = "${KEY}"\n'
    settings = written(text, environment={"HOST": "map.example", "KEY": "a b&c"})
    [one] = basemaps.describe(settings)
    assert one["tiles"] == ["https://map.example/{z}/{x}/{y}?tk=a%20b%26c"]
    with pytest.raises(UsageError, match=r"a key.*\$\{KEY\}.*export KEY"):
        written(text, environment={"HOST": "map.example"})
    # Other values are taken as they stand.
    assert written(MAP.replace("甲", "${HOST}") + "kind='pmtiles'\npath='p'").basemaps[0].name == "${HOST}"


def test_the_key_reaches_workers_and_shows_nowhere_else(written):
    settings = written(XYZ)
    environment: dict[str, str] = {}
    settings.to_environment(environment)
    assert Settings.from_environment(environment) == settings
    assert basemaps.describe(Settings.from_environment(environment)) == basemaps.describe(settings)
    assert "SECRET" in environment[VARIABLE]
    assert "SECRET" not in repr(settings) + str(settings) + repr(settings.basemaps) + str(settings.model_dump())


def test_a_relative_file_stays_in_the_workspace(written, tmp_path):
    for path, fault in (
        ("../out.mbtiles", "不在工作区里"),
        ("maps/../../out.mbtiles", "不在工作区里"),
        ("in.mbtiles", "没有这个底图文件"),
    ):
        settings = written(MAP + f"kind = 'mbtiles'\npath = '{path}'")
        with pytest.raises(UsageError, match=fault):
            basemaps.describe(settings)


def test_serve_says_in_one_line_what_the_file_gets_wrong(tmp_path, monkeypatch, capsys):
    (tmp_path / "yanpan.toml").write_text(MAP + "kind = 'mbtiles'\npath = 'no.mbtiles'\n", "utf-8")
    monkeypatch.setattr("sys.argv", ["yanpan", "serve", "--open", "--workspace", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        yanpan.main()
    said = capsys.readouterr().err.strip()
    assert ended.value.code == 2 and said.count("\n") == 0 and "no.mbtiles" in said
    assert CliRunner().invoke(yanpan.app, ["serve", "--help"]).exit_code == 0


def test_every_setting_is_documented():
    text = (DOCS / "basemaps.md").read_text("utf-8")
    for table, field in SettingsFile.model_fields.items():
        assert f"[{table}]" in text
        model = {"basemap": basemaps.BaseMap, "webhook": WebhookTable}.get(table, field.annotation)
        missing = [name for name in model.model_fields if f"`{name}`" not in text]
        assert missing == [], table


def test_the_example_of_the_documentation_is_read(tmp_path):
    text = (DOCS / "basemaps.md").read_text("utf-8")
    (tmp_path / "yanpan.toml").write_text(re.search(r"```toml\n(.*?)```", text, re.S)[1], "utf-8")
    stated = read_file(tmp_path / "yanpan.toml", {"TIANDITU_KEY": "k"})
    assert {one.kind for one in stated.basemap} == {"mbtiles", "pmtiles", "xyz", "wmts", "tianditu"}
    assert stated.server.port is not None and stated.thresholds.strong_p is not None
