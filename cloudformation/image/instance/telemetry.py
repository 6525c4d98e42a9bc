"""The CloudWatch agent's two files for this instance, from the templates that lie in the image."""

from pathlib import Path

from cloudformation.image.instance import files
from cloudformation.image.instance.settings import InstanceSettings

TEMPLATES = Path(__file__).parent.parent
NAMES = ("cloudwatch-agent.json", "prometheus.yaml")


def write_agent_files(settings: InstanceSettings, folder: Path) -> None:
    """Writes them to `folder`, or, without a log group, removes them: then nothing is sent."""
    for name in NAMES:
        if not settings.log_group:
            (folder / name).unlink(missing_ok=True)
            continue
        content = (TEMPLATES / name).read_text()
        values = {"@DEPLOYMENT@": settings.deployment, "@LOG_GROUP@": settings.log_group, "@FOLDER@": str(folder)}
        for mark, value in values.items():
            content = content.replace(mark, value)
        files.write(folder / name, content, 0o640)
