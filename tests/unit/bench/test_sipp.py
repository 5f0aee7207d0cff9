from bench.sipp import good

HEAD = "StartTime;SuccessfulCall(C);ResponseTimeRepartition1_<2000(C);ResponseTimeRepartition1_>=2000(C);\n"


def test_the_last_row_counts_without_late_answers():
    assert good(HEAD + "a;5;5;0;\nb;100;97;3;\n") == 97


def test_no_rows():
    assert good(HEAD) == 0
