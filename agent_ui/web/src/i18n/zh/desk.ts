export default {
  title: '承办单位工作台',
}
