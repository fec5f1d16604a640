export default {
  title: '班长大屏',
}
