"""The configuration: layers put together, defaults filled in, everything checked before any job.

=================  ====================================================================================
`complete_config`  layers of mappings to one: upper keys win, ``null`` removes, defaults from the schema
`check_config`     refuses a wrong configuration, naming the key, its value and what is allowed
`check_machine`    refuses one that names files, folders or devices that are not there
`layer_schema`     the schema of a single layer, for editors: nothing is needed, ``null`` is allowed
`SECTIONS`         sections that must be there, and the rules that read them
`dated_columns`    what may be dated, by table
=================  ====================================================================================
"""

from rare_neurons.configuration.check import check_config
from rare_neurons.configuration.layers import complete_config, layered
from rare_neurons.configuration.machine import check_machine
from rare_neurons.configuration.needed import SECTIONS, dated_columns
from rare_neurons.configuration.schema import layer_schema

__all__ = ["SECTIONS", "check_config", "check_machine", "complete_config", "dated_columns", "layer_schema", "layered"]
