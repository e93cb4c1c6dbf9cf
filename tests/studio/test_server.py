"""What the page asks for, and is answered."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from pgen.body.joints import Joint
from pgen.body.labels import Label
from pgen.cli.main import main
from pgen.data.formats.parsing import read_parsing
from pgen.errors import InputError
from pgen.studio import bodies, orders, work, workspace
from tests.data.examples import STANDING
from tests.studio.pages import SIZE, Page


def read_labels(page: Page, photo: dict) -> np.ndarray:  # type: ignore[type-arg]
    width, height = photo["shown_size"]
    return np.frombuffer(page.get(f"/files/{photo['files']['labels']}").content, np.uint8).reshape(height, width)


def test_the_page_and_its_files(client: TestClient) -> None:
    text = client.get("/").text
    assert "<title>pgen studio</title>" in text
    for name in ("main.js", "style.css"):
        assert f"/static/{name}" in text
        assert client.get(f"/static/{name}").status_code == 200
    for path in ("/static/../server.py", "/static/%2e%2e/server.py", "/static/..%2fserver.py", "/static//etc/passwd"):
        assert client.get(path).status_code in (403, 404)


def test_what_a_page_begins_with(page: Page) -> None:
    info = page.info
    assert len(info["joints"]) == 18
    assert len(info["labels"]) == len(info["palette"]) == 10
    assert {"walk", "arms-up"} <= info["poses"].keys()
    assert info["edits"]["sleeves"]["share"]
    assert page.client.get(f"/api/examples/{info['examples'][0]}").headers["content-type"] == "image/jpeg"
    assert page.client.get("/api/examples/..").status_code in (400, 404)


def test_an_example_is_opened_with_its_pose_and_map(page: Page) -> None:
    photo = page.open("?example=dots")
    assert photo["size"] == photo["shown_size"] == list(SIZE[::-1])
    assert sum(joint is not None for joint in photo["pose"]) >= 16
    assert set(np.unique(read_labels(page, photo))) >= {Label.BACKGROUND, Label.FACE, Label.UPPER, Label.PANTS}
    assert photo["annotations"] == {"pose": "dots.json", "parsing": "dots_parsing.png"}
    assert page.post("/photos?example=nobody").status_code == 400


def test_pose_and_map_are_changed_and_used(page: Page, tmp_path: Path) -> None:
    photo = page.open("?example=stripes")
    pose = photo["pose"]
    pose[Joint.L_WRIST], pose[Joint.R_EAR] = [90.0, 60.5], None
    answer = page.patch(f"/photos/{photo['id']}", json={"pose": pose}).json()
    written = json.loads(page.get(f"/files/{answer['annotations']['pose']}").content)
    keypoints = np.reshape(written["people"][0]["pose_keypoints_2d"], (18, 3))
    assert keypoints[Joint.L_WRIST].tolist() == [90, 60.5, 1]
    assert keypoints[Joint.R_EAR].tolist() == [0, 0, 0]

    labels = read_labels(page, photo).copy()
    labels[:20, :20] = Label.HAIR
    answer = page.put(f"/photos/{photo['id']}/labels", content=labels.tobytes()).json()
    (tmp_path / "map.png").write_bytes(page.get(f"/files/{answer['annotations']['parsing']}").content)
    np.testing.assert_array_equal(read_parsing(tmp_path / "map.png"), labels)

    job = page.wait(page.post("/orders/generate", json={"photo": photo["id"], "targets": ["walk"]}))
    command = job["answer"]["results"][0]["command"]
    assert f"--src-pose {answer['annotations']['pose']} --src-parsing {answer['annotations']['parsing']}" in command


def test_annotations_are_uploaded_and_refused(page: Page) -> None:
    photo = page.open("?example=plaid")
    moved = [[x + 1, y] for x, y in np.nan_to_num(np.array(photo["pose"], float)).tolist()]
    flat = [value for joint in moved for value in (*joint, 1)]
    data = json.dumps({"people": [{"pose_keypoints_2d": flat}]}).encode()
    job = page.wait(page.put(f"/photos/{photo['id']}/annotation?name=mine.json", content=data))
    assert job["answer"]["pose"][Joint.NOSE][0] == pytest.approx(photo["pose"][Joint.NOSE][0] + 1)
    job = page.wait(page.put(f"/photos/{photo['id']}/annotation?name=mine.json", content=b"{}"))
    assert job["state"] == "failed"
    assert job["error"].startswith("mine.json")
    assert "OpenPose" in job["error"]


@pytest.mark.parametrize(
    ("name", "content"), [("mine.json", b"{}"), ("mine.csv", b"nonsense"), ("mine.png", b"no map"), ("", b"no map")]
)
def test_a_wrong_file_leaves_the_photo_as_it_was(page: Page, name: str, content: bytes) -> None:
    photo = page.open("?example=plaid")
    job = page.wait(page.put(f"/photos/{photo['id']}/annotation?name={name}", content=content))
    assert job["state"] == "failed"
    assert name in job["error"]
    assert page.get("/files/plaid-2.json").status_code == page.get("/files/plaid_parsing-2.png").status_code == 400
    again = page.open_again(photo["id"])
    assert (again["pose"], again["annotations"]) == (photo["pose"], photo["annotations"])
    json = {"photo": photo["id"], "targets": ["walk"]}
    assert page.wait(page.post("/orders/generate", json=json))["state"] == "done"


def test_the_choice_of_a_person_who_is_not_there_changes_nothing(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = page.open("?example=plaid")

    def fail(*_: object) -> None:
        raise InputError("there is nobody of this number")

    with monkeypatch.context() as failing:
        failing.setattr(work.Work, "_read_photo", fail)
        assert page.wait(page.patch(f"/photos/{photo['id']}", json={"number": 7, "crop": False}))["state"] == "failed"
    again = page.open_again(photo["id"])
    assert (again["number"], again["crop"], again["pose"]) == (None, True, photo["pose"])


@pytest.mark.parametrize(
    "content",
    [
        {"json": {"pose": [[1, 2]]}},
        {"json": {"pose": [None] * 18}},
        {"json": {"pose": [["a", 2]] * 18}},
        {"json": {"pose": [[1e9, 2]] * 18}},
        {"json": {"number": -1}},
        {"json": {"number": "x"}},
        {"json": {"estimate": ["face"]}},
        {"json": []},
        {"content": b"{"},
    ],
)
def test_nonsense_about_a_photo_is_refused(page: Page, content: dict) -> None:  # type: ignore[type-arg]
    photo = page.open("?example=white")
    response = page.patch(f"/photos/{photo['id']}", **content)
    assert response.status_code == 400
    assert response.json()["error"]


def test_results_equal_those_of_their_commands(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    person, clothes = page.open("?example=stripes"), page.open("?example=dots")
    labels = read_labels(page, person).copy()
    labels[58:80, 38:46] = Label.UPPER
    painted = page.put(f"/photos/{person['id']}/labels?for=edit", content=labels.tobytes()).json()["parsing"]
    drawn = page.post("/targets", json={"pose": STANDING.tolist(), "size": [128, 128]}).json()["target"]
    both = {"clothes": clothes["id"], "person": person["id"], "regions": ["upper"], "shape": True}
    wishes = {"head": "follow", "background": "transparent", "frame_mode": "extend"}
    wanted = [
        ("generate", {"photo": person["id"], "targets": [drawn], "retarget": False, "paste": True}),
        ("generate", {"photo": person["id"], "targets": ["arms-up"], "rendering": wishes}),
        ("transfer", both),
        ("manipulate", {"photo": person["id"], "edits": {"sleeves": 0.5, "hair": "short"}}),
        ("manipulate", {"photo": person["id"], "parsing": painted}),
    ]
    jobs = [page.wait(page.post(f"/orders/{kind}", json=json)) for kind, json in wanted]
    assert [job["error"] for job in jobs] == [None] * 5
    results = [result for job in jobs for result in job["answer"]["results"]]
    assert len(results) == 5
    with zipfile.ZipFile(io.BytesIO(page.get("/zip").content)) as archive:
        commands = archive.read("commands.sh").decode().splitlines()
        given = {name: archive.read(name) for name in archive.namelist()}
    made = {name: data for name, data in given.items() if "__" in name or "-edited" in name or name.endswith(".gif")}
    monkeypatch.chdir(tmp_path)
    for name, data in given.items():
        if name not in made or name == painted:
            Path(name).write_bytes(data)
    for command in commands:
        assert main(command.split()[1:]) == 0, capsys.readouterr().err
    for name in made.keys() - {painted}:
        assert Path(name).read_bytes() == given[name], name
    for result in results:
        assert page.get(f"/files/{result['picture']}").content == given[result["picture"]]
        assert Image.open(io.BytesIO(page.get(f"/files/{result['panels'][0]['file']}").content)).width > 50


def test_a_preview_shows_the_new_map(page: Page) -> None:
    photo = page.open("?example=stripes")
    job = page.wait(page.post("/orders/preview", json={"photo": photo["id"], "edits": {"sleeves": "long"}}))
    labels = np.frombuffer(page.get(f"/files/{job['answer']['files']['labels']}").content, np.uint8)
    before = read_labels(page, photo).ravel()
    assert job["answer"]["changed"] > 0
    assert set(labels[labels != before]) == {Label.UPPER}


def test_a_target_is_uploaded(page: Page) -> None:
    photo = page.open("?example=stripes")
    text = "\n".join(f"{x} {y}" for x, y in STANDING.tolist()).encode()
    job = page.wait(page.post("/targets?name=pose.txt&frames=²&number=²", content=text))
    assert job["about"]["frames"] == 24
    assert (job["answer"]["is_motion"], job["answer"]["count"]) == (False, 1)
    json = {"photo": photo["id"], "targets": [job["about"]["target"]]}
    assert page.wait(page.post("/orders/generate", json=json))["state"] == "done"
    job = page.wait(page.post("/targets?name=pose.txt", content=b"nonsense"))
    assert job["error"].startswith("pose.txt")


def test_a_folder_called_like_a_bundled_pose_is_not_taken_for_it(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "walk").mkdir()
    photo = page.open("?example=stripes")
    job = page.wait(page.post("/orders/generate", json={"photo": photo["id"], "targets": ["walk", "side"]}))
    assert [result["target"] for result in job["answer"]["results"]] == ["walk", "side"], job["error"]


@pytest.mark.parametrize(
    ("path", "json", "named"),
    [
        ("/orders/generate", {"photo": "photo99", "targets": ["walk"]}, "photo"),
        ("/orders/generate", {"photo": "P", "targets": []}, "targets"),
        ("/orders/generate", {"photo": "P", "targets": ["/etc/passwd"]}, "/etc/passwd"),
        ("/orders/generate", {"photo": "P", "targets": ["walk"], "frames": 10**9}, "frames"),
        ("/orders/generate", {"photo": "P", "targets": ["walk"], "paste": "yes"}, "paste"),
        ("/orders/generate", {"photo": "P", "targets": ["walk"], "rendering": {"background": "/etc/x.png"}}, "x.png"),
        ("/orders/generate", {"photo": "P", "targets": ["walk"], "rendering": {"resolution": "network"}}, "network"),
        ("/orders/transfer", {"clothes": "P", "person": "P", "regions": ["hat"]}, "regions"),
        ("/orders/manipulate", {"photo": "P", "edits": {"sleeves": "huge"}}, "sleeves"),
        ("/orders/manipulate", {"photo": "P", "edits": {}}, "nothing"),
        ("/orders/manipulate", {"photo": "P", "parsing": "../../etc/passwd"}, "passwd"),
        ("/orders/dance", {}, "dance"),
        ("/targets", {"pose": [[1, 1]] * 18, "size": [1, 1]}, "size"),
    ],
)
def test_nonsense_is_refused_with_a_word_about_it(page: Page, path: str, json: dict, named: str) -> None:  # type: ignore[type-arg]
    photo = page.open("?example=white")["id"]
    response = page.post(path, json={key: photo if value == "P" else value for key, value in json.items()})
    assert response.status_code == 400
    assert named in response.json()["error"]


def test_files_are_asked_for_by_name_alone(page: Page) -> None:
    page.open("?example=white")
    assert page.get("/files/white.jpg").status_code == 200
    for name in ("..%2f..%2ftiny.safetensors", "%2fetc%2fpasswd", "..", ".", "nothing.png", "white.jpg%00"):
        assert page.get(f"/files/{name}").status_code in (400, 404)
    other = Page(page.client)
    assert other.get("/files/white.jpg").status_code == 400
    assert page.client.get("/api/tabs/unknown/files/white.jpg").status_code == 400


def test_uploads_are_limited_and_checked(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    job = page.wait(page.post("/photos?name=../../x y.jpg", content=b"not a picture"))
    assert job["state"] == "failed"
    assert "is not an image" in job["error"]
    assert "/" not in job["error"].split(" is ")[0]
    assert page.client.post(f"/api/tabs?tab={page.info['tab']}").json()["photos"] == []
    assert page.get("/files/x_y.jpg").status_code == 400
    for path in ("/photos?name=a.jpg", "/targets?name=a.jpg"):
        assert page.post(path, content=b"").json()["error"] == "a.jpg is empty"
    monkeypatch.setattr(orders, "_MOST_TARGETS", 1)
    assert page.post("/orders/generate", json={"photo": "p", "targets": ["walk", "side"]}).status_code == 400
    monkeypatch.setattr(workspace, "MOST_BYTES_TOGETHER", 10)
    assert "MB of files" in page.post("/photos?name=a.jpg", content=b"x" * 100).json()["error"]
    monkeypatch.setattr(bodies, "MOST_BYTES", 10)
    monkeypatch.setattr(bodies.read_body, "__defaults__", ("", 10))
    assert "too large" in page.post("/photos?name=a.jpg", content=b"x" * 100).json()["error"]
    assert "too large" in page.post("/photos?name=a.jpg", content=iter([b"x" * 6, b"y" * 6])).json()["error"]


def test_results_and_photos_are_removed(page: Page) -> None:
    photo = page.open("?example=white")["id"]
    job = page.wait(page.post("/orders/generate", json={"photo": photo, "targets": ["side"]}))
    picture = job["answer"]["results"][0]["picture"]
    assert page.delete(f"/results/{picture}").status_code == 200
    assert page.get(f"/files/{picture}").status_code == 400
    assert page.delete(f"/results/{picture}").status_code == 400
    assert page.get("/zip").status_code == 400
    other = page.open("?example=dots")
    for each in (photo, other["id"]):
        assert page.delete(f"/photos/{each}").status_code == 200
    assert page.get("/files/white.jpg").status_code == 200  # a result was made from it
    for name in ("dots.jpg", *other["files"].values(), *other["annotations"].values()):
        assert page.get(f"/files/{name}").status_code == 400
    assert page.post("/orders/generate", json={"photo": photo, "targets": ["side"]}).status_code == 400


def test_a_page_that_is_loaded_anew_goes_on(page: Page) -> None:
    photo = page.open("?example=dots")
    page.patch(f"/photos/{photo['id']}", json={"pose": photo["pose"]})
    picture = page.wait(page.post("/orders/generate", json={"photo": photo["id"], "targets": ["walk"]}))
    again = page.client.post(f"/api/tabs?tab={page.info['tab']}").json()
    assert (again["tab"], again["photos"]) == (page.info["tab"], [photo["id"]])
    assert page.open_again(photo["id"])["pose"] == photo["pose"]
    assert page.client.post("/api/tabs?tab=another").json()["tab"] != "another"
    assert page.delete(f"/results/{picture['answer']['results'][0]['picture']}").status_code == 200
    assert not any(job["answer"].get("results") for job in page.get("/jobs").json())
