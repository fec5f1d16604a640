// Words that tell of danger, looked for on the device at once, without a line; the service's own judgement comes after.
const WORDS = [
  '着火', '起火', '失火', '火灾', '大火', '冒烟', '爆炸', '煤气泄漏', '燃气泄漏', '漏煤气', '漏燃气', '救命', '被困', '溺水', '落水', '跳楼', '跳河',
  '轻生', '自杀', '持刀', '砍人', '捅人', '抢劫', '绑架', '杀人', '触电', '昏迷', '晕倒', '没有呼吸', '没呼吸', '心脏病', '大出血', '流血不止',
  '坍塌', '塌方', '倒塌', '中毒', '打群架', '家暴', '拐卖', '失踪', '车祸', '撞人',
]
const PATTERN = new RegExp(WORDS.join('|'))

/** Tell whether a text sounds like danger to somebody. */
export const soundsDangerous = (text: string): boolean => PATTERN.test(text)
