"""The words around which times, amounts, addresses and organisations are read, and the patterns that read them."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache
from string import ascii_uppercase

from triage.match import Matcher


class Anchor(StrEnum):
    """What an anchor stands for. HOUR and AMOUNT are the last numeral and its unit; the others are words."""

    TIME = "time"
    HOUR = "hour"
    AMOUNT = "amount"
    ADDRESS = "address"
    ORG = "org"


NUMERALS = frozenset("0123456789零〇一二两三四五六七八九十百千万几多半.")
STOPS = frozenset(
    ",，.。;；:：!！?？、 \t\n“”\"'‘’()（）《》【】的了在再是被把给让叫我你他她它俺咱哋们去从到往和与跟向对找问说"
    "就也都还没不这那有个家间位名喺嘅啲系咗请求望住由于因为已经将来至及或约并"
)

_NUMBER = r"(?:\d+(?:[.,]\d+)*|[零一二两三四五六七八九十百千万几]+)"
AMOUNT = re.compile(
    rf"{_NUMBER}(?:多|来|几)?(?:个亿|亿|万|千|百)?(?:多|来|几)?"
    r"(?:元|块钱|块(?![地砖板石牌铁玻田])|蚊|港[币元]|美[元金]|人民币|[rR][mM][bB]|万(?!人|户|家|台|部|次|平|亩|科|江|一))"
    r"(?:[零一二三四五六七八九\d]毛?(?![个月年天号点]))?|[￥¥] ?\d+(?:[.,]\d+)*"
    r"|(?<=[金资薪欠款失费付价花赔收骗钱给亏交转要才])\d+(?:\.\d+)?[kKwW](?![A-Za-z0-9])"
)
_DAYS = (
    "大后天 前几天 前两天 前些天 这几天 这两天 上上周 上上个星期 上上个礼拜 上上个月 "
    "大前天 前天 昨天 今天 明天 后天 当天 前日 昨日 今日 明日 当日 昨晚 今晚 前晚 明晚 当晚 昨夜 今早 今晨 明早 "
    "尋日 寻日 琴日 琴晚 寻晚 今朝 听日 去年 今年 前年 明年 本月 这个月 上个月 上月 下个月 下月 上周 上星期 "
    "上个星期 上礼拜 上个礼拜 这周 本周 这星期 这个星期 这礼拜 下周 下星期 下礼拜 周一 周二 周三 周四 周五 周六 "
    "周日 周末 星期一 星期二 星期三 星期四 星期五 星期六 星期天 星期日 礼拜一 礼拜二 礼拜三 礼拜四 礼拜五 礼拜六 "
    "礼拜天 大年初 大年三十 年三十 除夕 春节 元旦 端午 中秋 国庆 五一 十一"
)
_PARTS = (
    "凌晨 清晨 早上 早晨 上午 中午 正午 午后 下午 傍晚 晚上 夜里 夜晚 半夜 深夜 夜间 午夜 朝早 晏昼 挨晚 晚黑 "
    "晚间 白天"
)
_DAY = (
    r"(?:大?前[天日]|大后天|前[几两些]天|这[几两]天|[昨今明后当][天日晚早晨夜]|前晚|[尋寻琴听][日晚]|今朝|[去今前明]年[初底]?"
    r"|(?:(?:上?上|下|这)个?|本)月(?:(?:\d{1,2}|[一二三四五六七八九十]{1,3})[日号]|[初底]|[上中下]旬)?"
    r"|(?:上?上|[下这本])个?(?:周|星期|礼拜)[一二三四五六日天末]?"
    r"|(?:周|星期|礼拜)[一二三四五六日天末]|大?年三十|大年初[一二三四五六七]|除夕|春节|元旦|端午|中秋|国庆"
    r"|(?:五一|十一)(?=期间|假期|放假|节|黄金周|当天|那天)"
    r"|(?:\d{1,2}|[一二三四五六七八九十]{1,3})号(?=停(?!车)|起|到|至|开始|早|晚|上午|下午|凌晨|中午|那天))"
)
_DATE = (
    r"(?:(?:(?:\d{4}|\d{2}|[零〇一二三四五六七八九]{2,4})年)?(?:\d{1,2}|[一二三四五六七八九十]{1,3})月"
    r"(?:份|底|初[一二三四五六七八九十]?|中旬|上旬|下旬|廿[一二三四五六七八九]?|十[一二三四五六七八九]?(?![日号个点多几一二三四五六七八九])|(?:\d{1,2}|[一二三四五六七八九十]{1,3})[日号])?"
    r"|(?:\d{4}|[零〇一二三四五六七八九]{4})年[初底]?|\d{4}[-/.]\d{1,2}[-/.]\d{1,2})"
)
_PART = "(?:" + "|".join(_PARTS.split()) + ")"
_HOUR = (
    r"(?:(?:\d{1,2}:\d{2}(?!\d)|(?:\d{1,2}|[零一二两三四五六七八九十]{1,3})"
    r"(?:点钟|点半|点[一三]刻|点(?:\d{1,2}|[零一二三四五六七八九十]{1,3})?分?"
    r"|时(?:许|\d{1,2}分|[一二三四五六七八九十]{1,3}分)?(?![间候常而代段不刻])))(?:左右|多)?)"
)
_SPANS = "年 年多 个月 个多月 个半月 个星期 星期 个礼拜 礼拜 周 天 天多 个小时 小时 个多小时 个钟头 个钟 分钟"
_AWAY = "前 后 以前 之前 以后 之后"
_AGO = (
    r"(?:\d{1,3}|[一二两三四五六七八九十百几半]{1,4})(?:多|来|几)?"
    f"(?:{'|'.join(_SPANS.split())})(?:{'|'.join(_AWAY.split())})"
)
TIME = re.compile(
    rf"{_AGO}|(?:{_DATE}|{_DAY})(?:[的, ]?(?:{_PART}(?:{_HOUR})?|{_HOUR})(?:[到至-](?:{_PART})?(?:{_HOUR}))?)?"
    rf"|{_PART}(?:{_HOUR})?(?:[到至-](?:{_PART})?(?:{_HOUR}))?|{_HOUR}(?:[到至-](?:{_PART})?{_HOUR})?"
)
_ADDRESS = (
    "镇 街道 社区 村 工业区 工业园 花园 小区 大道 路口 路 街 巷 广场 大厦 公寓 新村 市场 苑 商城 国道 立交 水库 公园"
)
ADDRESS_TAIL = re.compile(
    r"(?:[^,，.。;；:：!！?？、\s的了在是被把给让我你他她它们从和与跟向对]{1,8}?(?:社区|村|工业区|工业园|花园|小区|大道|路|街|巷|广场|大厦|公寓|新村|市场|苑))*"
    r"(?:[A-Za-z0-9一二三四五六七八九十百]{1,5}(?:号楼|号|栋|座|幢|单元|巷|楼|层|室|房|铺|期)){0,5}"
    r"(?:(?<=[栋座幢元])\d{3,4}(?![\d元块户人年米]))?"
)
_ORG = (
    "有限公司 有限责任公司 股份有限公司 支行 分行 营业部 "
    "公司 集团 工厂 制衣厂 电子厂 家具厂 鞋厂 五金厂 塑胶厂 制品厂 医院 卫生站 诊所 小学 中学 学校 学院 大学 "
    "幼儿园 派出所 法院 银行 物业 居委会 村委会 村委 管理处 管委会 超市 酒店 宾馆 餐厅 饭店 机构 培训中心 培训班 "
    "服务中心 驾校 养老院 敬老院 事务所 合作社 经联社 分局 支队 大队 4S店 药房 药店 健身房 美容院 营业厅 旅行社"
)
_MONEY = "元块蚊万亿千百港美人kKwWrR"
_DIGITS = "0123456789零〇一二两三四五六七八九十"


@cache
def anchors() -> Matcher[Anchor]:
    """Return the matcher of all anchors."""
    words: dict[str, Anchor] = {}
    words.update((numeral + unit, Anchor.HOUR) for numeral in _DIGITS for unit in "年月点时:-/号")
    words.update((span + away, Anchor.HOUR) for span in _SPANS.split() for away in _AWAY.split())
    words.update((numeral + unit, Anchor.AMOUNT) for numeral in _DIGITS + "百千万几多" for unit in _MONEY)
    words.update((sign + digit, Anchor.AMOUNT) for sign in "￥¥" for digit in "0123456789")
    words.update(dict.fromkeys(f"{_DAYS} {_PARTS}".split(), Anchor.TIME))
    words.update(dict.fromkeys(_ADDRESS.split(), Anchor.ADDRESS))
    words.update((numeral + house, Anchor.ADDRESS) for numeral in _DIGITS for house in ("栋", "幢", "号楼"))
    words.update((letter + house, Anchor.ADDRESS) for letter in ascii_uppercase for house in "栋座")
    words.update(dict.fromkeys(_ORG.split(), Anchor.ORG))
    return Matcher(words)
