"""The cases of the conformance kit, by promise; `case.all_cases` imports every module here."""
