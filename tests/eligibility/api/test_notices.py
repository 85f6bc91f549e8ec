"""The printable notice: everything a person needs to believe or contest the result, on a page of its own."""

import re
from html.parser import HTMLParser

import pytest


class Page(HTMLParser):
    """What a page shows and loads."""

    def __init__(self, text):
        super().__init__()
        self.text, self.loads, self.tags = "", [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.loads += [value for name, value in attributes if name in ("src", "href")]

    def handle_data(self, data):
        self.text += data


def refused_family(eligibility, **changes):
    body = eligibility.household(**changes)
    body["household"]["members"][0]["income"] = [{"kind": "wage", "monthly": "3000.00"}]
    return body


def notice(eligibility, body, language="zh", **options):
    found = eligibility.determined(body)
    answer = eligibility.get(f"/determinations/{found['id']}/notice?language={language}", **options)
    assert answer.status_code == 200, answer.text
    return found, answer


def test_it_says_the_result_both_sides_numbers_the_law_and_what_would_turn_it(eligibility):
    _, answer = notice(eligibility, refused_family(eligibility, programmes=["dibao"]))
    shown = Page(answer.text).text
    assert "人均计入收入 1000.00 元，不低于当地标准 940.00 元，高出标准 60.00 元" in shown
    assert "社会救助暂行办法" in shown and "第九条" in shown
    assert "如果成员 m1 的工资每月不超过 2819.99 元，就符合条件" in shown


def test_it_says_until_when_one_may_object(eligibility):
    found, answer = notice(eligibility, refused_family(eligibility))
    shown = Page(answer.text).text
    assert "申请行政复议" in shown and "第七十六条" in shown and "向人民法院起诉" in shown
    assert found["id"] in shown and found["packs"][0]["sha256"][:16] in shown


def test_what_is_granted_stands_before_what_is_refused(eligibility):
    shown = Page(notice(eligibility, eligibility.household())[1].text).text
    assert "每月 1020.00" in shown and "每月合计 1020.00 元" in shown
    assert shown.index("符合") < shown.index("不符合")


@pytest.mark.parametrize(("language", "title"), [("zh", "社会救助告知书"), ("en", "Notice on social assistance")])
def test_it_is_written_in_either_language(eligibility, language, title):
    answer = notice(eligibility, eligibility.household(), language)[1]
    assert title in Page(answer.text).text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-language"].startswith(language)


def test_in_english_it_names_laws_in_english(eligibility):
    shown = Page(notice(eligibility, refused_family(eligibility), "en")[1].text).text
    assert re.search(r"Interim Measures for Social Assistance[^.]* Art\. 9", shown)
    assert re.findall("[\u4e00-\u9fff（）、。：]+", shown) == []


def test_it_names_what_is_still_to_be_known_in_words(eligibility):
    body = eligibility.household(programmes=["dibao"])
    del body["household"]["assets"]["financial"], body["household"]["members"][0]["income"]
    shown = [Page(notice(eligibility, body, language)[1].text).text for language in ("zh", "en")]
    assert "还需要知道：成员 m1 的收入、存款等金融资产、高龄津贴是否计入收入、" in shown[0]
    assert "Still to be known: income (member m1); savings; whether the old-age allowance counts as income" in shown[1]


def test_it_says_each_thing_once_for_each_programme_and_one_line_for_members_alike(eligibility):
    text = notice(eligibility, eligibility.household(programmes=["dibao", "old_age_allowance"]))[1].text
    shown = Page(text).text
    assert shown.count("成员 m1：该成员计入家庭人口") == 1
    assert text.count("<td>高龄津贴</td>") == 1 and "成员 m1、m2、m3" in shown


def test_it_says_what_to_bring_and_what_departments_hold(eligibility):
    shown = Page(notice(eligibility, eligibility.household())[1].text).text
    assert "授权书" in shown and "您不用带" in shown and "公安部门" in shown


def test_it_loads_nothing_and_runs_nothing(eligibility):
    answer = notice(eligibility, eligibility.household())[1]
    page = Page(answer.text)
    assert page.loads == [] and "script" not in page.tags
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_a_hostile_member_id_is_text_and_no_markup(eligibility):
    body = eligibility.household()
    body["household"]["members"][1]["id"] = "<script>alert(1)</script>"
    page = Page(notice(eligibility, body)[1].text)
    assert "script" not in page.tags and "<script>alert(1)</script>" in page.text


def test_another_place_and_another_language_are_refused(eligibility):
    found = eligibility.determined()
    assert eligibility.get(f"/determinations/{found['id']}/notice", regions=("110000",)).status_code == 404
    assert eligibility.get(f"/determinations/{found['id']}/notice?language=fr").status_code in (400, 422)


def test_the_nearest_changes_are_had_alone_too(eligibility):
    found = eligibility.determined(refused_family(eligibility, programmes=["dibao"]))
    answer = eligibility.get(f"/determinations/{found['id']}/nearest-changes").json()
    (refused,) = answer["data"]
    assert (refused["programme"], refused["subject"]) == ("dibao", "household")
    assert [(change["now"], change["then"]) for change in refused["changes"]] == [("3000.00", "2819.99")]


def test_a_notice_records_nothing(eligibility):
    found = eligibility.determined()
    before = eligibility.counts()
    eligibility.get(f"/determinations/{found['id']}/notice")
    assert eligibility.counts() == before
