export default {
  title: '坐席工作台',
  left: '我的工作与队列',
  middle: '对话',
  right: '工单',
  done: '已完成：{what}',
  search: { label: '查找工单', placeholder: '工单号、电话或关键词', none: '没有找到', found: '找到 {count} 件' },
  queue: {
    mine: '我的', emergency: '紧急', chats: '在线等待', received: '待受理', dispatch: '待派单', info: '待补充', returns: '退单·裁定',
    review: '待审核', followUp: '待回访', supervised: '督办', alarms: '报警', callbacks: '待回拨', found: '查找结果',
    empty: '这里没有工单', loading: '正在载入…', person: '需人工', label: '{name}，{count} 件',
  },
  ring: {
    heading: '正在呼入', chat: '在线咨询', call: '来电', take: '接入', given: '分给您的咨询', open: '打开', waited: '已等 {time}', none: '没有等待的来电或咨询',
  },
  alarm: { one: '110 报警未确认：{title}', more: '另有 {count} 件', go: '去处理' },
  presence: {
    label: '我的状态', since: '已 {time}', wrapUp: '话后处理 {time}', finish: '结束话后', notReady: '示忙：{reason}',
    putBack: '连接中断过久，系统曾将您签出；现已恢复为“{state}”', signedOut: '您已被签出，不再分到来电；要继续请重新选择状态',
  },
  callback: {
    owed: '待回拨 {count}', heading: '待回拨', take: '领取下一个', dial: '拨号', giveBack: '放回', late: '已超时', due: '{time} 前首拨',
    missed: '{time} 未接', tries: '已试 {count} 次', record: '回拨结果', none: '没有待回拨的来电', mine: '我领取的', note: '备注', save: '登记',
    nothing: '目前没有可领取的回拨',
  },
  followUp: { next: '领取下一件回访', none: '目前没有到时的回访' },
  talk: {
    none: '请在左侧选择一件工单，或按 N 登记来电', conversation: '对话', history: '全部经过', related: '同一诉求人', citizen: '诉求人', us: '中心', note: '内部备注',
    relatedNone: '没有其他工单', attachments: '附件', loading: '正在打开…', evidence: '黄色：判断事项分类的依据；红色：判断紧急的依据',
    parent: '已并入 {number}', children: '并入的工单 {count} 件',
  },
  others: { here: '{names} 也在看这件工单', news: '{name} 刚刚：{what}', seen: '已了解，继续', frozen: '内容已更新，请核对后再提交' },
  write: {
    message: '发给诉求人', note: '内部备注', ask: '请补充', answer: '直接答复', placeholder: { message: '写给诉求人的话…', note: '只有工作人员看得到…', ask: '需要诉求人补充什么？', answer: '直接答复诉求人，工单进入回访…' },
    send: '发送', kept: '草稿已保存', label: '内容',
  },
  ticket: {
    claim: '领取', release: '放回', accept: '受理', with: '由 {name} 处理', unclaimed: '尚未领取', created: '{time} 收到', clock: '时限', due: '办结 {time}', copy: '复制工单号', copied: '已复制',
  },
  judge: {
    heading: '智能判断', category: '事项分类', none: '未能判定', confidence: '把握 {percent}', confirmed: '人工确认', alternatives: '其他可能', choose: '改为其他分类…', kind: '诉求类型', town: '属地', noTown: '未知',
    priority: '优先级', verdict: '紧急程度', lower: '调低', lowerWhy: '调低的理由（必填，将记入工单）', words: '依据', person: '把握不足，请人工确认', title: '标题', dangerWords: '危险信号', noWords: '没有可指出的字词', nuisance: '该联系人已被标记为恶意骚扰，排在最后，请人工判断',
    labels: '敏感标签',
    confidential: '诉求人要求保密（承办单位看不到其身份）',
  },
  facts: { open: '补充工单要素', name: '姓名', phone: '电话', company: '单位', id_document: '证件号', happened_at: '发生时间', about: '被反映对象', grid: '网格', hint: '只填需要补充或更正的，留空的保持不变；将记入工单。', save: '保存' },
  mark: {
    category: '判断为“{what}”的依据', danger: '危险信号：{what}', model: '模型据此判断为紧急', unheard: '语音尚未听到，无法判断是否紧急',
    of: {
      violence: '暴力', medical: '伤病', trapped: '被困', suicide: '轻生', fire: '火情', missing: '走失', traffic: '交通事故', held: '人身受限', crowd: '群体聚集',
      fraud: '诈骗', gas: '燃气', electric: '触电',
    },
  },
  unit: {
    heading: '承办单位', lead: '主办', assisting: '协办', reasons: '依据', sure: '按派单目录', unsure: '请人工确认', dispatch: '派单', none: '目录没有对应单位，请选择', choose: '选择主办单位', chooseAssisting: '选择协办单位', version: '目录 {version}',
    now: '现由 {lead} 办理',
  },
  police: {
    button: '110', heading: '移交 110 等', services: '移交给', reason: '情况说明', push: '推送警情', transfer: '一键转接', conference: '三方通话', sent: '已推送 {services}，等待确认 {time}', acknowledged: '110 已接警，警情号 {incident}',
    returned: '110 已退回', confirm: '按回车推送', confirmCall: '再按 F9 三方通话',
  },
  similar: { heading: '相似工单', none: '没有相似的在办工单', merge: '并入', dismiss: '不是同一件', mergeInto: '本件并入 {number}', people: '已并 {count} 件' },
  knowledge: { heading: '知识库', none: '没有匹配的文章', insert: '引用到答复', source: '来源：{source}', back: '返回' },
  commands: { heading: '更多操作', search: '输入操作名称', submit: '确定', none: '没有可用的操作', sure: '对工单 {number} 执行“{what}”？', open: '操作' },
  phone: {
    open: '登记来电', heading: '登记来电诉求', text: '诉求内容', name: '称呼', phone: '来电号码', fromCall: '自动填入来电号码', older: '这份草稿不属于当前来电，将单独生成工单。', ended: '工单将记到先前的那通来电。', loose: '不关联该来电', anew: '清空，为当前来电新记', town: '镇街', address: '地址', company: '单位', id_document: '证件号', grid: '网格', happened_at: '发生时间', about: '被反映对象', confidential: '要求保密', submit: '生成工单', made: '已生成工单 {number}',
  },
  handOver: {
    heading: '转接通话', way: '方式', transfer: '转接', consult: '先咨询', conference: '三方通话', queues: '技能组', colleagues: '空闲坐席', desks: '紧急服务', nobody: '没有空闲的同事', number: '其他号码',
    hint: { transfer: '对方接听后您退出；转技能组时市民重新排队，等待时间从来电算起。', consult: '市民听音乐，您先与对方商量，再决定是否交接。', conference: '对方接听后三方一起通话。' },
  },
  call: {
    heading: '通话', ringing: '振铃', talking: '通话中', greeting: '问候语', waiting: '排队', over: '已结束', hold: '保持', resume: '恢复', hangUp: '挂断', transcript: '实时转写', nothing: '尚无转写', citizen: '市民', agent: '坐席', party: '第三方', supervisor: '班长',
    open: '在办 {count} 件', history: '历史 {count} 件', marked: '重点关注：{why}', withheld: '号码未显示', earlier: '曾来电 {count} 次，最近 {time}', firstTime: '首次来电',
    held: '保持中', pickUp: '请在话机上接听', handOver: '转接', register: '登记工单', there: '已接通', handTo: '交给{name}，我退出', leave: '我退出，他们继续', drop: '挂断第三方', stopRinging: '取消呼叫', supervised: '班长 {name} 已加入通话', alarm: '通话中出现危险信号：{words}', asked: { heading: '同事的通话', consult: '咨询：来自 {name}', conference: '三方通话：来自 {name}', transfer: '转接：来自 {name}' },
    silent: '未接听：{desks}', redialling: '未接听：{desks}，正在重拨', silentElsewhere: '{name} 的通话中 {desks} 未接听', use: '用转写内容登记', suggestion: '判断：{what}',
  },
  keys: {
    group: { move: '移动', ticket: '工单', write: '写', desk: '工作台', call: '通话' },
    hold: '保持/恢复', hangUp: '挂断', handOver: '转接、咨询、三方通话',
    next: '下一件', previous: '上一件', open: '打开/聚焦列表', queue: '切换队列 1–9、0、-', search: '查找', close: '关闭工单', claim: '领取/放回', accept: '受理', dispatch: '派单', alternative: '采用其他分类', choose: '选择分类', unit: '选择单位',
    merge: '并入最相似的工单', police: '110', commands: '更多操作', message: '发给诉求人', note: '内部备注', ask: '请补充', answer: '直接答复', send: '发送', phone: '登记来电', ready: '示闲/结束话后', take: '接入等待的咨询', given: '打开分给您的咨询', callback: '领取下一个回拨', followUp: '领取下一件回访',
    knowledge: '第一篇知识', alarms: '报警队列', tabs: '对话/经过/同一诉求人', seen: '已了解他人的更新', leaveText: '离开输入框',
  },
}
