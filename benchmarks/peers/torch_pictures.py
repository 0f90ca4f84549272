"""A folder of pictures for PyTorch, as its users write it without torchvision: Pillow, in a process per core."""

import os
from pathlib import Path

import numpy as np
import torch


class Pictures(torch.utils.data.Dataset):
    """The pictures in a folder with a subfolder for each class."""

    def __init__(self, folder, side):
        self.side = side
        self.paths = sorted(Path(folder).glob("*/*.*"))
        classes = sorted({path.parent.name for path in self.paths})
        self.labels = [classes.index(path.parent.name) for path in self.paths]

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, row):
        from PIL import Image  # the other measures run without it

        with Image.open(self.paths[row]) as picture:
            picture = picture.convert("RGB")
            if picture.size != (self.side, self.side):
                picture = picture.resize((self.side, self.side), Image.Resampling.BILINEAR)
            pixels = torch.from_numpy(np.array(picture))
        return pixels.permute(2, 0, 1).float(), self.labels[row]


def loader(folder, side, batch):
    """Return a loader whose processes stay alive from epoch to epoch."""
    workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return torch.utils.data.DataLoader(
        Pictures(folder, side), batch, shuffle=True, num_workers=workers, persistent_workers=True
    )
