#!/usr/bin/env python3
"""Black-box conformance of a secrets controller that runs External Secrets Operator (ESO) manifests. README.md says how it is run.

    run.py --kubeconfig F --vault http://127.0.0.1:8200 --vault-token root \
           [--cases DIR ...] [--only GLOB] [--jobs N] [--timeout S] [--record] [--keep]

The controller under test is already running and its CRDs are applied. Every case runs in a fresh namespace. The expectations
were recorded (--record) from ESO 2.9.0 on kube-apiserver 1.36.3 and Vault 1.13.1; a run compares what it sees with them.
One line per case, then 'N passed, N failed'. Exit status 1 when a case failed.
Needs Python 3.11 and PyYAML. Works with and without kube-controller-manager: nothing relies on Kubernetes' garbage collector.

A case file (cases/<area>/<name>.yaml)
    about   one sentence
    steps   a list; each step is one mapping, its first key is the verb:
      apply: [manifests]                  server-side apply (a manifest with metadata.generateName is not allowed)
      patch: REF    merge: {...}          JSON merge patch, as any user would do
      delete: REF
      token: SERVICEACCOUNT  secret: NAME writes Secret NAME with key `token`: a token of that ServiceAccount
      vault: "METHOD path"   body: {...}  one raw Vault request; a failure fails the case
      wait: REF     for: WANT             polls the observation of REF until it contains WANT (see below), or until --timeout
                                          (or `timeout: SECONDS` of the step), which fails the case
      wait: REF     for: changed          ... until its data differs from what the last `observe` saw there
      sleep: SECONDS
      observe: [REF...]                   one entry of `expect`
      submit: {label: manifest}           server-side dry run; one entry of `expect`: label -> accepted | rejected
    expect  what was recorded, one entry per observe or submit step

REF names what is looked at:
    Kind/name, Kind/namespace/name        namespace defaults to ${NS}; `#a,b` after it keeps only those fields
    events:Kind/name                      the distinct "Type Reason" of the object's events, sorted
    vault:MOUNT/path                      a KV v2 secret: data and custom_metadata.  vault1:MOUNT/path: a KV v1 secret
WANT is `present`, `absent`, a scalar, or a mapping: every key in it must be there with that value. A list must be equal.

Placeholders in steps: ${NS} the case's namespace, ${ID} a unique lower-case name (prefix cluster-scoped names and Vault paths
with it), ${VAULT} Vault's address, ${VAULT_TOKEN}, ${KUBE} the API server's address, ${KUBE_CA_PEM} its certificate, ${KUBE_CA}
that in base64. The values are put back into placeholders in what is observed. (A fake store is named ${ID} because ESO's fake provider
shares its data among all stores of one name. It also dies now and then of concurrent map writes: restart ESO when you record.)

Observations keep the contract that a user can see and drop uids, times, versions and message texts:
- Labels, annotations and Vault metadata whose name begins with `keymill.dev/`, condition types other than Ready and Deleted, and event
  reasons that ESO does not have are an implementation's own: they are not compared.
- Finalizers of our own kinds are an implementation's business: they are shown only where a REF asks for them (#finalizers).
- Secret data is decoded. `data-hash` is shown as recorded when the data is the same in every run, else as `hash of data`.
  `created-by` is shown as `hash of <namespace>/<name>`, the ExternalSecret it names.
- A generated value is declared on the observe step: `generated: {REF: {key: SHAPE}}`. It is shown as `#1 ...`: the number is
  the same for the same value within a case, so `#1` again means unchanged and `#2` means another value. SHAPE is
  `chars` (length and character classes), `distinct` (also whether a character repeats) or /regexp/.
  Wherever else in that observation the value appears (a template, Vault), it is shown as <#1>.
"""
from __future__ import annotations

import argparse
import base64
import difflib
import fnmatch
import hashlib
import http.client
import json
import os
import random
import re
import ssl
import string
import sys
import tempfile
import threading
import time
import traceback
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

Json = Any
HERE = Path(__file__).resolve().parent
OWN = "keymill.dev/"  # labels, annotations and remote metadata under this prefix are the implementation's own and are not compared
ES_HASH = "reconcile.external-secrets.io/data-hash"
ES_REASONS = {"Created", "Updated", "Deleted", "MissingProviderSecret", "UpdateFailed", "Synced", "Errored", "Valid", "InvalidProviderConfig", "ValidationUnknown"}
ES_OWNER = "reconcile.external-secrets.io/created-by"
GENERATORS = "generators.external-secrets.io/v1alpha1"
API_VERSION = {  # of the kinds that a REF may name
    "Secret": "v1", "ConfigMap": "v1", "Namespace": "v1", "ServiceAccount": "v1",
    "ExternalSecret": "external-secrets.io/v1", "SecretStore": "external-secrets.io/v1",
    "ClusterSecretStore": "external-secrets.io/v1", "ClusterExternalSecret": "external-secrets.io/v1",
    "PushSecret": "external-secrets.io/v1alpha1", "ClusterPushSecret": "external-secrets.io/v1alpha1",
    "Role": "rbac.authorization.k8s.io/v1", "RoleBinding": "rbac.authorization.k8s.io/v1",
    "ClusterRole": "rbac.authorization.k8s.io/v1", "ClusterRoleBinding": "rbac.authorization.k8s.io/v1",
}
FIRST_TO_GO = ("ClusterExternalSecret", "ClusterPushSecret", "ExternalSecret", "PushSecret")


class CaseError(Exception):
    """The case could not be played to its end."""


# ---------------------------------------------------------------------------------------------------------------- transport


class Http:
    """JSON over HTTP(S), one connection per thread."""

    def __init__(self, base: str, headers: dict[str, str], tls: ssl.SSLContext | None) -> None:
        self.url, self.headers, self.tls = urllib.parse.urlsplit(base), headers, tls
        self.local = threading.local()

    def call(self, method: str, path: str, body: Json = None, kind: str = "application/json") -> tuple[int, Json]:
        data = None if body is None else json.dumps(body)
        for attempt in (1, 2, 3):
            try:
                conn = getattr(self.local, "conn", None)
                if conn is None:
                    host, port = self.url.hostname or "", self.url.port
                    conn = (http.client.HTTPSConnection(host, port, timeout=30, context=self.tls)
                            if self.url.scheme == "https" else http.client.HTTPConnection(host, port, timeout=30))
                    self.local.conn = conn
                conn.request(method, path, data, {**self.headers, "Content-Type": kind, "Accept": "application/json"})
                reply = conn.getresponse()
                text = reply.read().decode()
                try:
                    return reply.status, json.loads(text) if text else None
                except ValueError:
                    return reply.status, text
            except (OSError, http.client.HTTPException):
                self.local.conn = None
                if attempt == 3:
                    raise
        raise AssertionError


class Kube(Http):
    def __init__(self, kubeconfig: str) -> None:
        conf = yaml.safe_load(Path(kubeconfig).read_text())
        pick = lambda kind, name: next(e[kind] for e in conf[kind + "s"] if e["name"] == name)  # noqa: E731
        context = pick("context", conf["current-context"])
        cluster, user = pick("cluster", context["cluster"]), pick("user", context["user"])
        self.server: str = cluster["server"]
        tls = ssl.create_default_context()
        if "certificate-authority-data" in cluster:
            pem = base64.b64decode(cluster["certificate-authority-data"]).decode()
            tls.load_verify_locations(cadata=pem)
        elif "certificate-authority" in cluster:
            pem = Path(cluster["certificate-authority"]).read_text()
            tls.load_verify_locations(cadata=pem)
        else:
            tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
            at = urllib.parse.urlsplit(self.server)
            pem = "" if at.scheme == "http" else ssl.get_server_certificate((at.hostname or "", at.port or 443))
        self.ca = base64.b64encode(pem.encode()).decode()
        if "client-certificate" in user:
            tls.load_cert_chain(user["client-certificate"], user["client-key"])
        elif "client-certificate-data" in user:
            with tempfile.NamedTemporaryFile() as both:  # ssl reads certificates from files only
                both.write(base64.b64decode(user["client-certificate-data"]) + b"\n" + base64.b64decode(user["client-key-data"]))
                both.flush()
                tls.load_cert_chain(both.name)
        headers = {"Authorization": "Bearer " + user["token"]} if "token" in user else {}
        super().__init__(self.server, headers, tls)
        self.resources: dict[tuple[str, str], tuple[str, bool]] = {}

    def path(self, api_version: str, kind: str, namespace: str, name: str = "") -> str:
        root = "/api/" + api_version if "/" not in api_version else "/apis/" + api_version
        if (api_version, kind) not in self.resources:
            status, found = self.call("GET", root)
            if status != 200:
                raise CaseError(f"no API {api_version} ({status})")
            for r in found["resources"]:
                if "/" not in r["name"]:
                    self.resources[(api_version, r["kind"])] = (r["name"], r["namespaced"])
        if (api_version, kind) not in self.resources:
            raise CaseError(f"no kind {kind} in {api_version}")
        plural, namespaced = self.resources[(api_version, kind)]
        return root + (f"/namespaces/{namespace}" if namespaced else "") + f"/{plural}" + (f"/{name}" if name else "")


# ------------------------------------------------------------------------------------------------------- one run of one case


def walk(value: Json, change: Any) -> Json:
    """Copies `value` with `change` applied to every string in it, keys included."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [walk(v, change) for v in value]
    if isinstance(value, dict):
        return {walk(k, change): walk(v, change) for k, v in value.items()}
    return value


def contains(seen: Json, want: Json) -> bool:
    if want == "present":
        return seen != "absent"
    if isinstance(want, dict):
        return isinstance(seen, dict) and all(k in seen and contains(seen[k], v) for k, v in want.items())
    return bool(seen == want)


def others(names: dict[str, str]) -> dict[str, str]:
    """Without what is the implementation's own."""
    return {k: v for k, v in names.items() if not k.startswith(OWN)}


def data_hash(data: dict[str, bytes]) -> str:
    text = "map[" + " ".join(f"{k}:[{' '.join(map(str, data[k]))}]" for k in sorted(data)) + "]"
    return hashlib.sha3_224(text.encode()).hexdigest()


def decoded(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return "base64:" + base64.b64encode(raw).decode()


def shape_of(value: str, shape: str) -> str:
    if shape.startswith("/"):
        ok = re.fullmatch(shape.strip("/"), value, re.S)
        return f"{shape}" if ok else f"not {shape}: {value!r}"
    count = lambda alphabet: sum(c in alphabet for c in value)  # noqa: E731
    letters, digits = count(string.ascii_letters), count(string.digits)
    text = f"{len(value)} characters: {letters} letters, {digits} digits, {len(value) - letters - digits} others"
    return text + (", all distinct" if len(set(value)) == len(value) else ", repeats") if shape == "distinct" else text


@dataclass
class Play:
    """One case being played: its names, what it made, and what it has seen."""
    kube: Kube
    vault: Http
    vault_url: str
    timeout: float
    slug: str
    made: list[tuple[str, str, str, str]] = field(default_factory=list)  # apiVersion, kind, namespace, name
    last: dict[str, Json] = field(default_factory=dict)                  # REF -> raw observation at the last observe
    numbers: dict[str, int] = field(default_factory=dict)                # generated value -> its number

    def __post_init__(self) -> None:
        self.id = f"{self.slug[:38]}-{''.join(random.choices(string.ascii_lowercase + string.digits, k=5))}"
        self.ns = "conf-" + self.id
        self.values = {"NS": self.ns, "ID": self.id, "VAULT": self.vault_url, "VAULT_TOKEN": self.vault.headers["X-Vault-Token"],
                       "KUBE": self.kube.server, "KUBE_CA": self.kube.ca, "KUBE_CA_PEM": base64.b64decode(self.kube.ca).decode()}

    # -- names in, names out

    def fill(self, value: Json) -> Json:
        return walk(value, lambda s: re.sub(r"\$\{([A-Z_]+)\}", lambda m: self.values.get(m[1], m[0]), s))

    def blank(self, value: Json) -> Json:
        order = ("NS", "ID", "VAULT", "KUBE")
        def one(s: str) -> str:
            for name in order:
                s = s.replace(self.values[name], "${" + name + "}")
            return s
        return walk(value, one)

    # -- the API server

    def split(self, ref: str) -> tuple[str, str, str]:
        kind, *rest = ref.split("/")
        return kind, (rest[0] if len(rest) == 2 else self.ns), rest[-1]

    def get(self, ref: str) -> Json:
        kind, namespace, name = self.split(ref)
        status, found = self.kube.call("GET", self.kube.path(API_VERSION.get(kind, GENERATORS), kind, namespace, name))
        if status not in (200, 404):
            raise CaseError(f"GET {ref}: {status} {found}")
        return found if status == 200 else None

    def apply(self, manifest: Json, dry: bool = False) -> tuple[int, Json]:
        meta = manifest["metadata"]
        namespace = meta.get("namespace", self.ns)
        path = self.kube.path(manifest["apiVersion"], manifest["kind"], namespace, meta["name"])
        if not dry:
            self.made.append((manifest["apiVersion"], manifest["kind"], namespace, meta["name"]))
        query = "?fieldManager=conformance&force=true" + ("&dryRun=All&fieldValidation=Strict" if dry else "")
        return self.kube.call("PATCH", path + query, manifest, "application/apply-patch+yaml")

    # -- looking

    def look(self, ref: str, shapes: dict[str, str]) -> Json:
        """The normalised observation of `ref`, still with real names in it."""
        ref, _, only = ref.partition("#")
        if ref.startswith("events:"):
            return self.look_events(ref[7:])
        if ref.startswith("vault"):
            return self.look_vault(ref)
        found = self.get(ref)
        if found is None:
            return "absent"
        seen = self.normal(found, shapes)
        if found["kind"] not in ("Secret", "ConfigMap", "Namespace") and "finalizers" not in only.split(","):
            seen.pop("finalizers", None)
        return {k: seen.get(k, "none") for k in only.split(",")} if only else seen

    def normal(self, found: Json, shapes: dict[str, str]) -> Json:
        meta, spec, status, kind = found["metadata"], found.get("spec", {}), found.get("status", {}), found["kind"]
        out: dict[str, Json] = {}
        if kind == "Secret":
            raw = {k: base64.b64decode(v) for k, v in (found.get("data") or {}).items()}
            out = {"type": found["type"], "data": {k: decoded(raw[k]) for k in sorted(raw)}}
            if found.get("immutable"):
                out["immutable"] = True
        elif kind == "ConfigMap":
            out["data"] = dict(sorted((found.get("data") or {}).items()))
        if kind in ("Secret", "ConfigMap", "ExternalSecret", "PushSecret"):
            labels, notes = others(meta.get("labels", {})), others(meta.get("annotations", {}))
            if ES_OWNER in labels:
                labels[ES_OWNER] = self.owner_named(labels[ES_OWNER], meta)
            if ES_HASH in notes and kind == "Secret":
                same = notes[ES_HASH] == data_hash(raw)
                fixed = not shapes and self.blank(out["data"]) == out["data"]
                notes[ES_HASH] = notes[ES_HASH] if fixed else ("hash of data" if same else "not the hash of data")
            elif ES_HASH in notes and self.blank(out) != out:
                notes[ES_HASH] = "some hash"
            if kind in ("ExternalSecret", "PushSecret"):
                labels, notes = {}, {}
            out |= {k: dict(sorted(v.items())) for k, v in (("labels", labels), ("annotations", notes)) if v}
        if kind in ("SecretStore", "ClusterSecretStore") and "capabilities" in status:
            out["capabilities"] = status["capabilities"]
        for c in status.get("conditions", []) if isinstance(status, dict) else []:
            if c["type"] not in ("Ready", "Deleted"):
                continue  # an implementation may say more
            out.setdefault("conditions", {})[c["type"]] = f"{c['status']} {c.get('reason', '')}".strip()
        if out.get("conditions", {}).get("Ready") == "True SecretSynced" and status.get("binding", {}).get("name"):
            out["binding"] = status["binding"]["name"]  # in other states ESO leaves what was there
        if status.get("syncedPushSecrets"):
            out["syncedPushSecrets"] = {s: sorted(v) for s, v in sorted(status["syncedPushSecrets"].items())}
        for key in ("externalSecretName", "pushSecretName", "provisionedNamespaces"):
            if status.get(key) and kind.startswith("Cluster"):
                out[key] = status[key]
        if status.get("failedNamespaces"):
            out["failedNamespaces"] = sorted(f["namespace"] for f in status["failedNamespaces"])
        if kind == "ExternalSecret" and meta.get("ownerReferences"):
            out |= {k: v for k in ("labels", "annotations") if (v := others(meta.get(k, {})))}
            out["spec"] = {k: spec[k] for k in ("secretStoreRef", "refreshInterval") if k in spec}
        if meta.get("ownerReferences"):
            out["owners"] = sorted(f"{o['kind']}/{o['name']}" + (" (controller)" if o.get("controller") else "")
                                   for o in meta["ownerReferences"])
        if meta.get("finalizers"):
            out["finalizers"] = sorted(meta["finalizers"])
        return out

    def owner_named(self, digest: str, meta: Json) -> str:
        owners = [(meta["namespace"], o["name"]) for o in meta.get("ownerReferences", [])]
        for namespace, name in owners + [m[2:] for m in self.made if m[1] == "ExternalSecret"]:
            if hashlib.sha3_224(f"{namespace}/{name}".encode()).hexdigest() == digest:
                return f"hash of {namespace}/{name}"
        return "some hash"

    def look_events(self, ref: str) -> Json:
        kind, namespace, name = self.split(ref)
        query = urllib.parse.quote(f"involvedObject.kind={kind},involvedObject.name={name}")
        where = namespace if not kind.startswith("Cluster") else "default"
        _, found = self.kube.call("GET", f"/api/v1/namespaces/{where}/events?fieldSelector={query}")
        return sorted({f"{e['type']} {e['reason']}" for e in found.get("items", []) if e["reason"] in ES_REASONS})

    def look_vault(self, ref: str) -> Json:
        version, _, path = ref.partition(":")
        if version == "vault1":
            status, found = self.vault.call("GET", "/v1/" + path)
            return found["data"] if status == 200 else "absent"
        mount, _, rest = path.partition("/")
        status, found = self.vault.call("GET", f"/v1/{mount}/data/{rest}")
        if status != 200:
            return "absent"
        out = {"data": found["data"]["data"]}
        custom = others(found["data"]["metadata"].get("custom_metadata") or {})
        return out | ({"custom_metadata": custom} if custom else {})

    def observe(self, step: Json) -> dict[str, Json]:
        shapes: dict[str, dict[str, str]] = step.get("generated", {})
        seen = {ref: self.look(ref, shapes.get(ref, {})) for ref in step["observe"]}
        self.last |= {ref: json.loads(json.dumps(self.content(value))) for ref, value in seen.items()}
        names: dict[str, str] = {}                       # generated value -> what stands for it elsewhere
        shown: list[tuple[str, str, str]] = []
        for ref, keys in shapes.items():
            for key, shape in keys.items():
                value = seen[ref]["data"].get(key) if isinstance(seen[ref], dict) else None
                if isinstance(value, str):
                    number = self.numbers.setdefault(value, len(self.numbers) + 1)
                    shown.append((ref, key, f"#{number} {shape_of(value, shape)}"))
                    if len(value) >= 8:                  # a shorter one may stand elsewhere by chance
                        names[value] = f"<#{number}>"
        def hide(s: str) -> str:
            for value in sorted(names, key=len, reverse=True):
                s = s.replace(value, names[value])
            return s
        seen = {ref: walk(value, hide) for ref, value in seen.items()}
        for ref, key, text in shown:
            seen[ref]["data"][key] = text
        return {self.blank(ref): self.blank(value) for ref, value in seen.items()}

    @staticmethod
    def content(seen: Json) -> Json:
        return seen["data"] if isinstance(seen, dict) and "data" in seen else seen

    def wait(self, step: Json) -> None:
        ref, want = step["wait"], step["for"]
        until = time.monotonic() + step.get("timeout", self.timeout)
        while True:
            seen = self.look(ref, {})
            if seen != "absent" and self.content(seen) != self.last.get(ref) if want == "changed" else contains(seen, want):
                return
            if time.monotonic() > until:
                text = yaml.safe_dump(self.blank({"waited for": want, "last seen": seen}), sort_keys=False)
                raise CaseError(f"timed out waiting on {self.blank(ref)}\n{text}")
            time.sleep(0.2)

    # -- steps

    def step(self, step: Json) -> Json:
        """Plays one step. Returns what it observed, or None for a step that observes nothing."""
        match next(iter(step)):
            case "apply":
                for manifest in step["apply"]:
                    self.must(self.apply(manifest), f"apply {manifest['kind']}/{manifest['metadata']['name']}")
            case "patch":
                path = self.at(step["patch"]) + "?fieldManager=kubectl"
                self.must(self.kube.call("PATCH", path, step["merge"], "application/merge-patch+json"), "patch " + step["patch"])
            case "delete":
                self.must(self.kube.call("DELETE", self.at(step["delete"])), "delete " + step["delete"])
            case "token":
                path = self.kube.path("v1", "ServiceAccount", self.ns, step["token"]) + "/token"
                reply = self.must(self.kube.call("POST", path, {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
                                                               "spec": {"expirationSeconds": 3600}}), "token")
                self.must(self.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": step["secret"]},
                                      "stringData": {"token": reply["status"]["token"]}}), "token secret")
            case "vault":
                method, path = step["vault"].split(" ", 1)
                self.must(self.vault.call(method, "/v1/" + path, step.get("body")), step["vault"])
            case "wait":
                self.wait(step)
            case "sleep":
                time.sleep(step["sleep"])
            case "observe":
                return self.observe(step)
            case "submit":
                return self.blank({k: self.verdict(k, self.apply(m, dry=True)) for k, m in step["submit"].items()})
            case verb:
                raise CaseError(f"unknown step: {verb}")
        return None

    @staticmethod
    def verdict(label: str, reply: tuple[int, Json]) -> str:
        status, body = reply
        if status in (200, 201):
            return "accepted"
        if status in (400, 422, 500) and not (isinstance(body, dict) and body.get("reason") in ("NotFound", "Forbidden")):
            return "rejected"
        raise CaseError(f"submit {label}: {status} {body}")

    def at(self, ref: str) -> str:
        kind, namespace, name = self.split(ref)
        return self.kube.path(API_VERSION.get(kind, GENERATORS), kind, namespace, name)

    @staticmethod
    def must(reply: tuple[int, Json], what: str) -> Json:
        status, body = reply
        if not 200 <= status < 300:
            raise CaseError(f"{what}: {status} {body.get('message', body) if isinstance(body, dict) else body}")
        return body

    def play(self, steps: list[Json]) -> list[Json]:
        self.must(self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.ns}}), "namespace")
        return [seen for step in steps if (seen := self.step(self.fill(step))) is not None]

    def clean(self) -> None:
        """Deletes what the case applied: first what has remote effects, and waits for it, so that finalizers can still work."""
        made = list(dict.fromkeys(reversed(self.made)))
        first = [m for m in made if m[1] in FIRST_TO_GO]
        for group in (first, [m for m in made if m not in first]):
            for m in group:
                self.kube.call("DELETE", self.kube.path(*m))
            until = time.monotonic() + 5
            while group is first and time.monotonic() < until:
                if all(self.kube.call("GET", self.kube.path(*m))[0] == 404 for m in group):
                    break
                time.sleep(0.1)


# ----------------------------------------------------------------------------------------------------------------- the files


class Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


Dumper.add_representer(str, lambda d, s: d.represent_scalar("tag:yaml.org,2002:str", s, style="|" if "\n" in s else None))


def dump(value: Json) -> str:
    return yaml.dump(value, Dumper=Dumper, sort_keys=False, width=120, allow_unicode=True)


def run(path: Path, args: argparse.Namespace, kube: Kube, vault: Http) -> tuple[str, float]:
    """Plays one case file. Returns what is wrong ('' = nothing) and the seconds it took."""
    case = yaml.safe_load(path.read_text())
    start = time.monotonic()
    play = Play(kube, vault, args.vault.rstrip("/"), args.timeout, re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-"))
    try:
        seen = play.play(case["steps"])
    except CaseError as e:
        return f"namespace {play.ns}: {e}", time.monotonic() - start
    except Exception:  # a fault of the runner or of the file: report it with the case and go on
        return traceback.format_exc(), time.monotonic() - start
    finally:
        if not args.keep:
            play.clean()
    took = time.monotonic() - start
    if args.record:
        case["expect"] = seen
        path.write_text(dump(case))
        return "", took
    lines = [dump(x).splitlines(keepends=True) for x in (case.get("expect"), seen)]
    return "".join(difflib.unified_diff(*lines, "expected", "observed", n=4)), took


def main() -> int:
    p = argparse.ArgumentParser(description="Black-box conformance to External Secrets Operator 2.9.0.")
    p.add_argument("--kubeconfig", default=os.environ.get("KUBECONFIG"), required="KUBECONFIG" not in os.environ)
    p.add_argument("--vault", required=True)
    p.add_argument("--vault-token", required=True)
    p.add_argument("--cases", nargs="+", type=Path, default=[HERE / "cases"])
    p.add_argument("--only", default="*", help="glob on area/name")
    p.add_argument("--jobs", type=int, default=4)
    p.add_argument("--timeout", type=float, default=20, help="seconds that a wait lasts at most")
    p.add_argument("--record", action="store_true", help="write what is seen into the case files")
    p.add_argument("--keep", action="store_true", help="leave the objects of a case where they are")
    args = p.parse_args()

    kube, vault = Kube(args.kubeconfig), Http(args.vault, {"X-Vault-Token": args.vault_token}, None)
    files = [f for d in args.cases for f in sorted(d.rglob("*.yaml"))]
    files = [f for f in files if fnmatch.fnmatch(f"{f.parent.name}/{f.stem}", args.only)]
    failed = 0
    with ThreadPoolExecutor(args.jobs) as pool:
        for path, (wrong, took) in zip(files, pool.map(lambda f: run(f, args, kube, vault), files)):
            failed += bool(wrong)
            print(f"{'FAIL' if wrong else 'ok  '} {path.parent.name}/{path.stem} {took:.1f}s", flush=True)
            if wrong:
                print("     " + wrong.rstrip().replace("\n", "\n     "), flush=True)
    print(f"{len(files) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
