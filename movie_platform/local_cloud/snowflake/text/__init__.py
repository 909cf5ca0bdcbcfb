"""Texts and their meaning, without state: tokens, names, bind variables, result sets, schedules, task bodies."""
