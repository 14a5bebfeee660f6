import "../common/frame";
