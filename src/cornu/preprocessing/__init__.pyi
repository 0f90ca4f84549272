# Written by scripts/stubs; a test compares.

from cornu.compat.tensorflow.timeseries import timeseries_dataset_from_array as timeseries_dataset_from_array
from cornu.preprocessing import image as image
from cornu.preprocessing import sequence as sequence
from cornu.preprocessing import text as text
from cornu.utils.image_dataset import image_dataset_from_directory as image_dataset_from_directory
from cornu.utils.text_dataset import text_dataset_from_directory as text_dataset_from_directory
