"""`python -m generate` writes each generated file that changed, and prints its path."""

from generate.outputs import REPOSITORY, outputs

for path, text in outputs().items():
    if not path.exists() or path.read_text("utf-8") != text:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
        print(path.relative_to(REPOSITORY))
