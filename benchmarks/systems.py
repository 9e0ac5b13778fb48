"""The systems under test: how each is started, also on PostgreSQL, beside other work or on a slow disk."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks import page

ROOT = Path(__file__).parent.parent
INSTALLED = ROOT / ".venv" / "installed" / "bin"
"""Where the product stands as an owner has it: what only tests need is not there, and is not imported by chance."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where one run happens; the folder is new and empty."""

    port: int
    stub_port: int
    folder: Path

    @property
    def graph_url(self) -> str:
        """The stub, as a system under test has to be told of it."""
        return f"http://127.0.0.1:{self.stub_port}{page.GRAPH_PATH}"


@dataclass(frozen=True, slots=True)
class Launch:
    """A command, what it finds in its environment, and a command to run to its end before it."""

    argv: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    before: list[str] | None = None


System = Callable[[Site], Launch]


def storeless(site: Site) -> Launch:
    """The bare bot without storage."""
    return _bare("benchmarks.bare_storeless", site)


def durable(site: Site) -> Launch:
    """The bare bot that commits before it answers."""
    launch = _bare("benchmarks.bare_durable", site)
    return replace(launch, argv=[*launch.argv, "--database", str(site.folder / "bare.db")])


def _bare(module: str, site: Site) -> Launch:
    return Launch([sys.executable, "-m", module, "--port", str(site.port), "--graph-url", site.graph_url])


def product(site: Site) -> Launch:
    """Khách Quen as it is installed, on SQLite, without pace limits of its own."""
    command = str(INSTALLED / "khachquen")
    serve = [command, "serve", "--host", "127.0.0.1", "--port", str(site.port)]
    return Launch(serve, _settings(site), before=[command, "migrate"])


def product_beside(work: str) -> System:
    """The product with other work in its process; see `beside.py` for the names."""

    def system(site: Site) -> Launch:
        launch = product(site)
        entry = [str(INSTALLED / "python"), "-m", "benchmarks.product", "--beside", work]
        return replace(launch, argv=[*entry, *launch.argv[1:]])

    return system


def product_on(new_database: Callable[[], str]) -> System:
    """The product on a database of its own, whose URL `new_database` returns."""

    def system(site: Site) -> Launch:
        launch = product(site)
        return replace(launch, environment={**launch.environment, "DATABASE_URL": new_database()})

    return system


def slowed(system: System, shim: Path) -> System:
    """The same system with every sync of the disk taking longer."""

    def slow_system(site: Site) -> Launch:
        launch = system(site)
        return replace(launch, environment={**launch.environment, "LD_PRELOAD": str(shim)})

    return slow_system


def build_shim(folder: Path) -> Path | None:
    """Compile `slow_sync.c`, once; None where there is no C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    source, shim = Path(__file__).with_name("slow_sync.c"), folder / "slow_sync.so"
    if not shim.exists() or shim.stat().st_mtime < source.stat().st_mtime:
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", shim, source, "-ldl"], check=True)
    return shim


def _settings(site: Site) -> dict[str, str]:
    zalo = ("APP_ID", "APP_SECRET", "OA_ID", "OA_SECRET_KEY", "ACCESS_TOKEN", "REFRESH_TOKEN")
    return {
        "DATABASE_URL": f"sqlite:///{site.folder / 'khachquen.db'}",
        "DATA_DIR": str(site.folder),
        "SECRET_KEY": "0123456789abcdef" * 4,
        "MESSENGER_PAGE_ID": page.PAGE_ID,
        "MESSENGER_PAGE_TOKEN": page.PAGE_TOKEN,
        "MESSENGER_APP_ID": page.APP_ID,
        "MESSENGER_APP_SECRET": page.APP_SECRET,
        "MESSENGER_VERIFY_TOKEN": page.VERIFY_TOKEN,
        "MESSENGER_GRAPH_URL": site.graph_url,
        "MESSENGER_SENDS_PER_SECOND": "0",
        "ZALO_SENDS_PER_MINUTE": "0",
        "FLOOD_PER_MINUTE": "0",
        **{f"ZALO_{name}": "" for name in zalo},
    }
