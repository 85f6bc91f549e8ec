"""What each of monitoring's errors means to a caller, and the constraints that stand for one."""

from services.monitoring.domain.death_batch import AsOfInFuture, RowCountDiffers
from services.monitoring.gateways.signed_message import (
    ContentDigestWrong,
    FeedNotAllowed,
    SignatureInvalid,
    SignatureMissing,
    SignatureStale,
    UnknownKey,
)
from services.monitoring.use_cases.receive_death_batch import BatchNumberReused
from services.shared.runtime.problems import Catalogue, Problem


class NonceReused(Exception):
    """The signed message came before; somebody is sending a copy of it."""


CONSTRAINTS = {"feed_nonce_is_used_once": NonceReused}

CATALOGUE: Catalogue = {
    SignatureMissing: Problem(
        "signature_missing",
        401,
        "报送没有签名",
        "The feed is not signed",
        "按 RFC 9421 签名，带上 Signature 和 Signature-Input 头",
        "Sign it as RFC 9421 says, with the headers Signature and Signature-Input",
    ),
    ContentDigestWrong: Problem(
        "content_digest_wrong",
        401,
        "内容与 Content-Digest 不符，或缺少该头",
        "The body is not the one that Content-Digest names, or the header is missing",
        "按 RFC 9530 对实际发送的字节计算 sha-256",
        "Compute sha-256 over the bytes that are sent (RFC 9530)",
    ),
    UnknownKey: Problem(
        "unknown_key",
        401,
        "没有登记这个 keyid",
        "No key of this keyid is registered",
        "核对 keyid，或请平台管理员登记公钥",
        "Check keyid, or ask the operator to register the public key",
    ),
    SignatureInvalid: Problem(
        "signature_invalid",
        401,
        "签名与收到的内容不符，或未覆盖规定的部分",
        "The signature is not of what arrived, or does not cover what it must",
        '用 ed25519 签名，覆盖 "@method" "@target-uri" "content-digest" "content-type"，'
        "带 created、keyid、alg 和16至128字的 nonce；@target-uri 须为 {target}",
        'Sign with ed25519 over "@method" "@target-uri" "content-digest" "content-type", '
        "with created, keyid, alg and a nonce of 16 to 128 characters; @target-uri must be {target}",
    ),
    SignatureStale: Problem(
        "signature_stale",
        401,
        "签名时间不在最近300秒之内",
        "The signature was not made within the last 300 seconds",
        "校准时钟，重新签名后立即发送",
        "Set your clock right, sign anew and send at once",
    ),
    NonceReused: Problem(
        "nonce_reused",
        401,
        "这个 nonce 已用过",
        "This nonce was used before",
        "每次发送都用新的 nonce 重新签名；同一批次重发是安全的",
        "Sign anew with a fresh nonce for each sending; sending the same batch again is safe",
    ),
    FeedNotAllowed: Problem(
        "feed_not_allowed",
        403,
        "这个公钥不得报送此类数据",
        "This key may not sign this feed",
        "请平台管理员为该部门开通",
        "Ask the operator to allow it",
    ),
    BatchNumberReused: Problem(
        "batch_number_reused",
        409,
        "此批次号已用于另一批内容，本次未作任何改动",
        "The batch number was used for another content; nothing was changed",
        "新的内容用新的批次号",
        "Send new content under a new number",
    ),
    RowCountDiffers: Problem(
        "row_count_differs",
        422,
        "申报 {declared} 行，实收 {found} 行，整批退回",
        "{declared} rows were declared and {found} found; the whole batch is refused",
        "查明缺少或多出的行后重新报送",
        "Find what is missing or too many and send it again",
    ),
    AsOfInFuture: Problem(
        "as_of_in_future",
        422,
        "as_of 晚于今天（{today}），整批退回",
        "as_of is later than today ({today}); the whole batch is refused",
        "填写数据实际截止的日期",
        "Give the day on which the records were drawn",
    ),
}
