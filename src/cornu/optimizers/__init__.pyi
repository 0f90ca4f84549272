# Written by scripts/stubs; a test compares.

from cornu.optimizers import schedules as schedules
from cornu.optimizers.base import Optimizer as Optimizer
from cornu.optimizers.loss_scale import LossScaleOptimizer as LossScaleOptimizer
from cornu.optimizers.matrices import Adafactor as Adafactor
from cornu.optimizers.matrices import Muon as Muon
from cornu.optimizers.moments import Adam as Adam
from cornu.optimizers.moments import AdamW as AdamW
from cornu.optimizers.moments import Adamax as Adamax
from cornu.optimizers.moments import Lamb as Lamb
from cornu.optimizers.moments import Lion as Lion
from cornu.optimizers.moments import Nadam as Nadam
from cornu.optimizers.moments import ScheduleFreeAdamW as ScheduleFreeAdamW
from cornu.optimizers.multiple import MultiOptimizer as MultiOptimizer
from cornu.optimizers.multiple import OptimizerMap as OptimizerMap
from cornu.optimizers.rules import Adadelta as Adadelta
from cornu.optimizers.rules import Adagrad as Adagrad
from cornu.optimizers.rules import Ftrl as Ftrl
from cornu.optimizers.rules import RMSprop as RMSprop
from cornu.optimizers.rules import SGD as SGD
from cornu.optimizers.transformation import OptaxOptimizer as OptaxOptimizer
from typing import Any

RMSProp = RMSprop
def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None=None) -> Optimizer: ...
def get(identifier: Any) -> Optimizer | None: ...
def serialize(optimizer: Optimizer) -> dict[str, Any]: ...
