import "../common/frame";
import "../worklist/page";
