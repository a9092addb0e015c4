"""The manifests, by the API's schemas and by what they say together."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from symphony_server.settings import Settings
from tests.deploy.deploy_files import (
    BIN,
    DEPLOY,
    ROOT,
    image_variables,
    instruction,
    load,
    render,
    run,
    settings_of,
    stopping_seconds,
)

OLDEST, NEWEST = "1.31", "1.37"
needs_kubectl = pytest.mark.skipif(
    shutil.which("kubectl") is None, reason="kubectl, which renders kustomizations, is missing"
)


def one(file: str) -> dict[str, Any]:
    (document,) = load(f"kubernetes/{file}.yaml")
    found: dict[str, Any] = document
    return found


def by_kind(documents: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    kinds = {document["kind"]: document for document in documents}
    assert len(kinds) == len(documents)
    return kinds


def pod() -> dict[str, Any]:
    found: dict[str, Any] = one("deployment")["spec"]["template"]["spec"]
    return found


def server_in(spec: dict[str, Any]) -> dict[str, Any]:
    (container,) = spec["containers"]
    found: dict[str, Any] = container
    return found


def resources() -> list[str]:
    found: list[str] = one("kustomization")["resources"]
    return found


def valid(version: str, *files: Path) -> None:
    done = run(BIN / "kubernetes-validate", "--strict", "--kubernetes-version", version, *files)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_every_object_is_one_of_the_apis(version: str) -> None:
    assert f"Kubernetes {OLDEST} or later" in (DEPLOY / "README.md").read_text()
    folder = DEPLOY / "kubernetes"
    files = [file for file in sorted(folder.glob("*.yaml")) if file.stem != "kustomization"]
    assert {file.name for file in files} == {*resources(), "secret.example.yaml"}
    valid(version, *files)


@needs_kubectl
@pytest.mark.parametrize("kustomization", ["kubernetes", "kubernetes-tls"])
def test_what_kustomize_makes_of_them_are_too(kustomization: str, tmp_path: Path) -> None:
    documents = render(kustomization)
    assert len(documents) == len(resources())
    file = tmp_path / "rendered.yaml"
    file.write_text(yaml.safe_dump_all(documents))
    valid(NEWEST, file)


@needs_kubectl
def test_the_image_has_the_projects_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    spec = by_kind(render("kubernetes"))["Deployment"]["spec"]["template"]["spec"]
    images = {container["image"] for container in spec["initContainers"] + spec["containers"]}
    assert images == {f"symphony-data:{project['version']}"}


def test_a_container_migrates_first_and_the_servers_do_not() -> None:
    assert not configured().auto_migrate
    (migrate,) = pod()["initContainers"]
    server = server_in(pod())
    assert (migrate["args"], server["args"]) == (["migrate"], ["serve"])
    assert migrate["envFrom"] == server["envFrom"]
    assert migrate["volumeMounts"] == server["volumeMounts"]


def test_what_is_named_is_there() -> None:
    (reference,) = server_in(pod())["envFrom"]
    assert reference == {"configMapRef": {"name": one("configmap")["metadata"]["name"]}}
    secret = one("secret.example")
    volumes = {volume["name"]: volume for volume in pod()["volumes"]}
    mounts = {m["name"]: m["mountPath"] for m in server_in(pod())["volumeMounts"]}
    assert volumes.keys() == mounts.keys()
    assert volumes["postgres"]["secret"]["secretName"] == secret["metadata"]["name"]
    assert mounts["state"] == instruction("VOLUME")
    (key,) = secret["stringData"]
    assert one("configmap")["data"]["PGSERVICEFILE"] == f"{mounts['postgres']}/{key}"
    assert f"--from-file={key}=/dev/stdin" in (DEPLOY / "README.md").read_text()
    assert secret["metadata"]["namespace"] == one("namespace")["metadata"]["name"]
    assert one("kustomization")["namespace"] == one("namespace")["metadata"]["name"]


def test_the_example_of_a_secret_holds_none() -> None:
    assert "secret.example.yaml" not in resources()
    for content in one("secret.example")["stringData"].values():
        assert content == "[symphony]\npassword=REPLACE-THIS-PASSWORD\n"


def test_all_select_the_pods_of_the_deployment() -> None:
    labels = one("deployment")["spec"]["template"]["metadata"]["labels"]
    assert one("deployment")["spec"]["selector"] == {"matchLabels": labels}
    assert one("poddisruptionbudget")["spec"]["selector"] == {"matchLabels": labels}
    assert one("service")["spec"]["selector"] == labels
    spread = pod()["topologySpreadConstraints"]
    assert [constraint["labelSelector"] for constraint in spread] == [{"matchLabels": labels}] * 2


def test_ports_are_the_one_that_is_served_on() -> None:
    port = int(configured().listen.rpartition(":")[2])
    assert int(instruction("EXPOSE")) == port
    server = server_in(pod())
    assert server["ports"] == [{"name": "grpc", "containerPort": port}]
    (served,) = one("service")["spec"]["ports"]
    assert (served["port"], served["targetPort"]) == (port, "grpc")
    probes = [server[f"{name}Probe"]["grpc"] for name in ("startup", "readiness", "liveness")]
    assert probes == [{"port": port}] * 3


def test_the_service_is_headless() -> None:
    assert one("service")["spec"]["clusterIP"] == "None"


def test_a_pod_is_killed_only_after_it_had_time_to_stop_by_itself() -> None:
    settings = configured()
    assert "lifecycle" not in server_in(pod())  # draining is the server's own
    assert pod()["terminationGracePeriodSeconds"] > stopping_seconds(settings)
    readiness = server_in(pod())["readinessProbe"]
    assert settings.drain_seconds >= readiness["periodSeconds"] * readiness["failureThreshold"]


def test_one_server_may_be_missing_and_others_are_left() -> None:
    budget = one("poddisruptionbudget")["spec"]
    assert one("deployment")["spec"]["replicas"] - budget["maxUnavailable"] >= 2


def test_containers_can_do_nothing_that_they_need_not() -> None:
    spec = pod()
    uid, gid = map(int, instruction("USER").split(":"))
    assert spec["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": uid,
        "runAsGroup": gid,
        "fsGroup": gid,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert spec["automountServiceAccountToken"] is False
    for container in spec["initContainers"] + spec["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"].keys() == {"memory"}


@needs_kubectl
def test_with_tls_the_images_own_check_asks_instead_of_the_kubelet() -> None:
    kinds = by_kind(render("kubernetes-tls"))
    settings = settings_of({**image_variables(), **kinds["ConfigMap"]["data"]})
    assert not settings.insecure
    spec = kinds["Deployment"]["spec"]["template"]["spec"]
    server = server_in(spec)
    places = {mount["name"]: mount["mountPath"] for mount in server["volumeMounts"]}
    files = [Path(places["tls"], name) for name in ("tls.crt", "tls.key")]
    assert [settings.tls_cert, settings.tls_key] == files
    program = json.loads(instruction("HEALTHCHECK").partition("CMD ")[2])
    for name in ("startup", "readiness", "liveness"):
        probe = server[f"{name}Probe"]
        assert probe["exec"] == {"command": program}
        assert "grpc" not in probe


def configured() -> Settings:
    return settings_of({**image_variables(), **one("configmap")["data"]})
