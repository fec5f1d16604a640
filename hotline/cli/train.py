"""`train`: train the models anew, from the project's texts alone or from a city's own tickets too."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hotline.cli.base import city_of, command, settings
from hotline.deadlines import ZONE
from triage.card import PRECISION

if TYPE_CHECKING:
    from hotline.city import City
    from triage.city_train import Outcome
    from triage.tickets import Tickets
    from triage.train import Second

CORPUS = Path("triage/data/appeals")
HELD_OUT = Path("training/held_out.txt")
_FIGURES = {
    "dispatch_coverage": "held out: dispatched without a person",
    "dispatch_precision": "held out: department right there",
}


def add(commands: Any) -> None:
    """Add the command."""
    parser = command(
        commands, "train", run, summary="train the triage models from labelled texts, or from a city's own tickets",
        example="python -m hotline train --data tickets.xlsx --text 诉求内容 --label 事项分类",
    )
    parser.add_argument(
        "--data", type=Path, default=CORPUS,
        help="folder of JSON lines with every label, or a city's tickets: a .csv, .xlsx or .jsonl file",
    )
    add_ticket_options(parser)
    parser.add_argument("--out", type=Path, help="where the model, or the report on tickets, goes")


def add_ticket_options(parser: argparse.ArgumentParser) -> None:
    """Add what `train` and `retrain` share."""
    parser.add_argument("--text", metavar="COL", default="text", help="column of the tickets' text (default: text)")
    parser.add_argument(
        "--label", metavar="COL", default="label",
        help="column of the category: 0307, 03路灯, 城市管理/路灯 or 路灯 (default: label)",
    )
    parser.add_argument(
        "--precision", metavar="SHARE", type=share, default=PRECISION,
        help="share of what is dispatched without a person that should go to the right department: more means fewer "
        f"dispatched (default: {PRECISION})",
    )
    parser.add_argument("--force", action="store_true", help="install the model whatever the comparison says")
    parser.add_argument(
        "--encoder", metavar="PATH",
        help="train an encoder too: `own` pre-trains ours from nothing, a folder is a local BERT-family checkpoint "
        "(needs requirements-train.txt; on tickets asked for where the present model has one)",
    )


def share(text: str) -> float:
    """Read a precision. Raises ArgumentTypeError outside 0.5 to 0.999, above which no set of texts proves anything."""
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0.5 <= found <= 0.999:
        raise argparse.ArgumentTypeError(f"{text}: 应为0.5到0.999之间的数, 如0.95")
    return found


def run(given: argparse.Namespace) -> int:
    """Train with a progress bar and print the figures on texts kept aside."""

    chosen = settings()
    city, models = city_of(chosen), Path(chosen.model_dir)
    second = encoder_trainer(given.encoder) if given.encoder else None
    if given.data.suffix:
        from triage.city_train import train_city
        from triage.tickets import read_tickets

        tickets = read_tickets(given.data, text=given.text, label=given.label, labels=city.categories)
        tell_left_out(tickets)
        out = given.out or fresh_folder(chosen.data_path)
        title = f"{city.name}: {given.data.name}"
        return tell(train_city(
            tickets, CORPUS, models, out, city, title=title, second=second, precision=given.precision,
            force=given.force, held_out=chosen.data_path / HELD_OUT,
        ))
    made = fresh_folder(chosen.data_path) / "model"
    return _anew(given.data, given.out or models, made, city, second, given.precision)


def _anew(data: Path, models: Path, made: Path, city: City, second: Second | None, precision: float) -> int:
    """Train beside the present model and put the new one in its place, which is then kept in `previous/`."""
    from triage.encoder import CARD
    from triage.install import install
    from triage.linear import PREVIOUS
    from triage.train import train

    for name, value in train(data, made, city, second=second, precision=precision).items():
        sys.stdout.write(f"{name:<40}{value:>10.4f}\n")
    lost = (models / CARD).exists() and second is None
    install(made, models)
    before = f"; 旧模型在 {models / PREVIOUS}" if (models / PREVIOUS).exists() else ""
    told = "; 新模型没有编码器, 旧编码器也移到那里(--encoder own 可一并训练)" if lost else ""
    sys.stdout.write(f"已安装到 {models}{before}{told}\n")
    return 0


def fresh_folder(data: Path) -> Path:
    """Return a new folder for a report, named by the time."""
    folder = data / "training" / datetime.now(ZONE).strftime("%Y%m%d-%H%M%S")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def tell_left_out(tickets: Tickets) -> None:
    """Print how many rows can be used, and which cannot."""
    sys.stdout.write(f"可用工单(互不相同): {len(tickets.examples)} 件\n")
    if tickets.left_out:
        sys.stdout.write(f"未使用: {tickets.left_out}\n")


def tell(outcome: Outcome) -> int:
    """Print what came of a training on tickets; exit status 0 also where the present model stays."""
    sys.stdout.write(f"{'accuracy in grouped folds':<40}{outcome.right:>10.4f}\n")
    sys.stdout.write(f"{'expected calibration error':<40}{outcome.calibration_error:>10.4f}\n")
    for name, told in _FIGURES.items():
        sys.stdout.write(f"{told:<40}{outcome.held_out[name]:>10.4f}\n")
    sys.stdout.write(f"{outcome.match.reason}\n{'已安装' if outcome.match.installed else '未安装: 现用模型不变'}\n")
    sys.stdout.write(f"报告: {outcome.report}\n")
    return 0


def encoder_trainer(name: str) -> Second:
    """Return what trains the encoder. Raises InvalidInput: its libraries are missing, or there is no such folder."""
    from hotline.errors import InvalidInput

    checkpoint = None if name == "own" else Path(name)
    if checkpoint and not (checkpoint / "config.json").exists():
        raise InvalidInput(f"--encoder: {checkpoint} 不是模型目录(没有config.json)", error_id="checkpoint_invalid")
    try:
        from triage.encoder_train import train_encoder
    except ImportError as error:
        detail = f"训练编码器还需要 {error.name}: 请运行 pip install -r requirements-train.txt"
        raise InvalidInput(detail, error_id="library_missing") from error
    return partial(train_encoder, checkpoint=checkpoint)
