"""Eligibility's errors as problems, and the constraints that stand for them."""

from collections.abc import Callable

from services.eligibility.domain import award, pack_proposal, redetermination
from services.eligibility.use_cases import evaluate_household, examine_pack, published_policy, replay_determination
from services.shared.policy.fault import PackFault
from services.shared.runtime.problems import Catalogue, Problem

CATALOGUE: Catalogue = {
    evaluate_household.AnswerTooLarge: Problem(
        "answer_too_large",
        422,
        "人数多而已知事实少，答复过长",
        "So many people with so few known facts make the answer too long",
        "用 programmes 指明所问的项目，或补全各成员的事实",
        "Name what you ask for in programmes, or tell more of each member",
    ),
    award.NothingToAward: Problem(
        "nothing_to_award",
        422,
        "该认定没有给予此项目金额",
        "The determination grants no amount under this programme to this subject",
        "核对项目与对象，或补全事实后重新认定",
        "Check programme and subject, or determine again with the missing facts",
    ),
    award.AwardMonthsWrong: Problem(
        "award_months_wrong",
        422,
        "截止月份须晚于起始月份，且不超过三十六个月；一次性救助没有截止月份",
        "The award must end after it begins, and within thirty-six months; what is paid once has no end",
        "改正 until，一次性救助请删去",
        "Correct until; remove it for what is paid once",
    ),
    award.PeopleDoNotMatch: Problem(
        "people_do_not_match",
        422,
        "所列人员须与认定的家庭成员一致，且恰有一名领款人",
        "The people must be exactly the members that the award is for, with one payee",
        "核对 people，只给一人 card_number",
        "Check people; give card_number to one of them",
    ),
    award.AlreadyProposed: Problem(
        "already_proposed",
        409,
        "该认定结果已提出过发放",
        "This result was proposed for an award before",
        "查看已有的发放",
        "Look at the award that exists",
    ),
    award.AlreadyDecided: Problem(
        "already_decided", 409, "该发放已作出决定", "The award was decided before", "查看其状态", "Look at its state"
    ),
    award.SecondPersonNeeded: Problem(
        "second_person_needed",
        409,
        "提出人不能自己确认",
        "Who proposed the award may not decide on it",
        "请另一位工作人员确认",
        "Ask another person to decide",
    ),
    award.DemoPersonRefused: Problem(
        "demo_person_refused",
        422,
        "生产环境不接受演示人员",
        "Demo people are refused in production",
        "使用真实的公民身份号码",
        "Use the person's own number",
    ),
    examine_pack.PackRefused: Problem(
        "policy_pack_refused",
        422,
        "规则包有误，或与现行规则包不合，未受理",
        "The pack is unsound, or does not fit those in force; nothing was recorded",
        "按 errors 逐项改正后重新提出",
        "Correct each of errors and propose it again",
    ),
    examine_pack.PackExaminerBusy: Problem(
        "pack_examiner_busy",
        503,
        "正在检查另一个规则包",
        "Another pack is being examined",
        "稍后用同一个 Idempotency-Key 重发",
        "Send it again later with the same Idempotency-Key",
    ),
    pack_proposal.PackVersionTaken: Problem(
        "pack_version_taken",
        409,
        "该规则包已有此版本；一个版本的内容永不改变",
        "The pack has this version already, and a version never changes",
        "把内容改为新的版本号后重新提出",
        "Give the content a new version and propose that",
    ),
    pack_proposal.PackUnchanged: Problem(
        "pack_unchanged",
        409,
        "除版本号外与现行版本相同",
        "Nothing but the version differs from what is in force",
        "核对是否发送了改动后的文件",
        "Check that you sent the changed files",
    ),
    pack_proposal.PackAlreadyDecided: Problem(
        "pack_already_decided",
        409,
        "该规则包已作出决定",
        "The pack was decided on before",
        "查看其状态",
        "Look at its state",
    ),
    pack_proposal.OwnPackProposal: Problem(
        "second_person_needed_for_pack",
        409,
        "提出人不能自己发布或拒绝",
        "Who proposed the pack may not decide on it",
        "请另一位政策人员核对并决定",
        "Ask another policy officer to compare and decide",
    ),
    pack_proposal.PacksInForceChanged: Problem(
        "packs_in_force_changed",
        409,
        "检查期间另有规则包发布",
        "Another pack was published while this one was examined",
        "用同一个 Idempotency-Key 重发",
        "Send it again with the same Idempotency-Key",
    ),
    redetermination.NothingGranted: Problem(
        "nothing_granted",
        422,
        "该认定没有按月给予的金额，没有可补的月份",
        "The determination grants no monthly amount, so there is no month to make up for",
        "用给予了月度金额的认定再算",
        "Name a determination that grants a monthly amount",
    ),
    redetermination.MonthsWrong: Problem(
        "redetermination_months_wrong",
        422,
        "月份须在认定的起始月份与本月之间，且不超过三十六个月",
        "The months must lie between the first that was granted and the present one, thirty-six at most",
        "改正 from 和 until（until 是第一个不算的月份）",
        "Correct from and until (until is the first month that no longer belongs to them)",
    ),
    published_policy.PackAltered: Problem(
        "policy_pack_altered",
        503,
        "规则包 {pack_id} {version} 的内容与发布时不符，暂停认定",
        "Pack {pack_id} {version} is not what was published, so nothing is determined by it",
        "报告审计人员，从备份恢复该规则包",
        "Tell the auditor, and restore the pack from a backup",
    ),
    PackFault: Problem(
        "policy_pack_unsound",
        503,
        "规则包 {pack} 有误（{where}），暂停认定",
        "Pack {pack} is unsound ({where}), so nothing is determined by it",
        "用 doudi pack validate 查看，改正后发布新版本",
        "See what doudi pack validate says, and publish a corrected version",
    ),
    replay_determination.ReplayRefused: Problem(
        "replay_refused",
        409,
        "无法重算：规则包 {pack_id} {version} 与认定时的内容不符",
        "It cannot be recomputed: pack {pack_id} {version} is not what it was",
        "报告审计人员，从备份恢复该规则包",
        "Tell the auditor, and restore the pack from a backup",
    ),
    replay_determination.ReplayDiffers: Problem(
        "replay_differs",
        409,
        "重算结果与记录不一致",
        "The recomputed answer is not the recorded one",
        "报告审计人员",
        "Tell the auditor",
    ),
}

CONSTRAINTS: dict[str, Callable[[], Exception]] = {
    "award_is_proposed_once_for_a_result": award.AlreadyProposed,
    "award_decisions_pkey": award.AlreadyDecided,
    "award_is_decided_by_a_second_person": award.SecondPersonNeeded,
    "pack_version_is_proposed_once": pack_proposal.PackVersionTaken,
    "pack_decisions_pkey": pack_proposal.PackAlreadyDecided,
    "pack_is_decided_by_a_second_person": pack_proposal.OwnPackProposal,
}
