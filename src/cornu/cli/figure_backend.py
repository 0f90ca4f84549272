"""A matplotlib backend for `cornu run` without a display: ``show()`` keeps and closes figures, as notebooks do."""

from typing import Any

from matplotlib._pylab_helpers import Gcf
from matplotlib.backend_bases import FigureManagerBase
from matplotlib.backends.backend_agg import FigureCanvasAgg

from cornu.cli import figures


class FigureManager(FigureManagerBase):
    """The manager of a figure that is not shown in a window."""

    def show(self) -> None:
        """Keep the figure, for ``figure.show()``."""
        figures.keep(self.canvas.figure)

    @classmethod
    def pyplot_show(cls, *, block: Any = None) -> None:
        """Keep and close every open figure, for ``plt.show()``."""
        for manager in Gcf.get_all_fig_managers():
            figures.keep(manager.canvas.figure)
            Gcf.destroy(manager)


class FigureCanvas(FigureCanvasAgg):
    """Draws into memory."""

    manager_class = FigureManager
