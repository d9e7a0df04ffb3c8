"""Two revisions side by side, each with a build of its own."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zlib
from collections.abc import Generator, Sequence
from pathlib import Path

__all__ = ["ROOT", "Tree", "both"]

ROOT = Path(__file__).parent.parent.parent


@dataclasses.dataclass(frozen=True)
class Tree:
    """A revision.

    Parameters:
        name: ``base`` or ``head``.
        root: where its files are.
        target: where it is built.
        profile: Cargo profile it is built with.
    """

    name: str
    root: Path
    target: Path
    profile: str

    def benches(self, crate: str) -> list[Path]:
        """Builds the micro-benchmarks of a crate; their programs, by name."""
        if not (self.root / "crates" / crate / "benches").is_dir():
            return []
        said = self._cargo("bench", "-p", f"plectrum-{crate}", "--benches", "--no-run", "--message-format", "short")
        lines = [line for line in said.splitlines() if "Executable" in line and "benches" in line]
        return [self.root / line.rpartition("(")[2].rstrip(")") for line in lines]

    def extension(self) -> None:
        """Builds the Python extension and puts it where the package looks for it."""
        self._cargo("build", "-p", "plectrum-py", "--lib")
        suffix = sysconfig.get_config_var("EXT_SUFFIX")
        directory = "debug" if self.profile == "dev" else self.profile  # Cargo calls this one otherwise
        built = self.target / directory / ("lib_core.dylib" if sys.platform == "darwin" else "lib_core.so")
        # Another file under the name: whoever has the old one open goes on with it.
        partial = self.root / "python" / "plectrum" / "_core.partial"
        shutil.copy2(built, partial)
        partial.replace(partial.with_name(f"_core{suffix}"))

    def environ(self) -> dict[str, str]:
        """In which Python finds this revision's package, and the programs of this directory."""
        path = os.pathsep.join([str(self.root / "python"), str(ROOT)])
        return {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "0"}

    def _cargo(self, command: str, *arguments: str) -> str:
        environ = {**os.environ, "CARGO_TARGET_DIR": str(self.target), "PYO3_PYTHON": sys.executable}
        full = ["cargo", command, "--profile", self.profile, *arguments]
        done = subprocess.run(full, cwd=self.root, env=environ, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{self.name}: {' '.join(full)} failed:\n{done.stderr[-4000:]}")
        return done.stdout + done.stderr


@contextlib.contextmanager
def both(base: str, profile: str, target: Path) -> Generator[tuple[Tree, Tree]]:
    """The other revision in a directory of its own, which goes in the end, and the working tree.

    Parameters:
        base: revision, as Git names it.
        profile: Cargo profile.
        target: where builds are kept, for the next time.
    """
    commit = _git("rev-parse", "--verify", f"{base}^{{commit}}")
    with tempfile.TemporaryDirectory(prefix="plectrum-base-") as directory:
        root = Path(directory) / "tree"
        _git("worktree", "add", "--detach", str(root), commit)
        try:
            # Cargo tells sources apart by their place in the workspace and their age: two working trees that shared a
            # target would take each other's programs for their own. The other revision's files are always new.
            own = target / f"head-{zlib.crc32(str(ROOT).encode()):08x}"
            yield Tree("base", root, target / "base", profile), Tree("head", ROOT, own, profile)
        finally:
            _git("worktree", "remove", "--force", str(root))


def _git(*arguments: str) -> str:
    command: Sequence[str] = ["git", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout.strip()
