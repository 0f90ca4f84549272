"""Fills `cornu.core.spellings` with the functions that the core calls."""

from cornu.core import spellings

spellings.fill(
    {
        "constructor": "cornu.compat.arguments:translate_constructor",
        "keywords": "cornu.compat.arguments:translate_keywords",
        "order": "cornu.compat.arguments:name_first",
        "attribute": "cornu.compat.attributes:old_attribute",
        "name": "cornu.compat.imports:old_name",
        "names": "cornu.compat.imports:old_names",
        "absent module": "cornu.compat.imports:absent_module",
        "absent class": "cornu.compat.absent:reason_of_class",
        "registered class": "cornu.compat.tensorflow.registered_classes:class_of",
        "layer name": "cornu.compat.names:current_layer_name",
        "identifier": "cornu.compat.names:current_identifier",
        "layer config": "cornu.compat.configs:translate_layer_config",
        "operation": "cornu.compat.configs:old_operation",
        "optimizer config": "cornu.compat.optimizer_configs:translate_optimizer_config",
        "model config": "cornu.compat.configs:translate_meanings",
    }
)
