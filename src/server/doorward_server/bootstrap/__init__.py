"""The one place that wires objects together: a module for each process, with the imports of that alone."""
